/** Image references. Source: distribution/reference, pkg/util/parsers. */
const host = String.raw`(?:[a-zA-Z0-9][a-zA-Z0-9.-]*|\[[0-9a-fA-F:]+\])(?::\d+)?`;
const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const tag = String.raw`\w[\w.-]{0,127}`;
const algorithm = "[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*";
/** Groups: tag, digest. */
const referencePattern = new RegExp(
  `^(?:${host}/)?${component}(?:/${component})*(?::(${tag}))?(?:@(${algorithm}:[0-9a-fA-F]{32,}))?$`,
);

/** With `:latest` where there is neither tag nor digest; undefined when it is no reference. */
export function withDefaultTag(image: string): string | undefined {
  const match = referencePattern.exec(image);
  if (match === null) return undefined;
  const [, tagged, digest] = match;
  return tagged === undefined && digest === undefined ? `${image}:latest` : image;
}

/** Host of the registry, as docker reads a name: `docker.io` when none is given. */
export function registryOf(image: string): string {
  const slash = image.indexOf("/");
  const first = slash < 0 ? "" : image.slice(0, slash);
  return /[.:]|^localhost$/.test(first) ? first : "docker.io";
}

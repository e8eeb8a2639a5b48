/** Parts of `registry/repository:tag@digest`. */
export interface ImageName {
  readonly repository: string;
  /** `latest` when neither tag nor digest is given. */
  readonly tag: string;
  readonly digest: string;
}

const tagPattern = /^[\w][\w.-]{0,127}$/;

/** Source: pkg/util/parsers, distribution/reference. */
export function parseImageName(image: string): ImageName {
  const at = image.indexOf("@");
  const digest = at < 0 ? "" : image.slice(at + 1);
  const name = at < 0 ? image : image.slice(0, at);
  const colon = name.lastIndexOf(":");
  const tagged = colon > name.lastIndexOf("/") && tagPattern.test(name.slice(colon + 1));
  const tag = tagged ? name.slice(colon + 1) : "";
  // Text that is no reference has no parts.
  if (/\s/.test(image)) return { repository: "", tag: "", digest: "" };
  return {
    repository: tagged ? name.slice(0, colon) : name,
    tag: tag === "" && digest === "" ? "latest" : tag,
    digest,
  };
}

/** A tag that moves is pulled each time. */
export function defaultPullPolicy(image: string): "Always" | "IfNotPresent" {
  return parseImageName(image).tag === "latest" ? "Always" : "IfNotPresent";
}

/** How group versions appear in operation ids, tags and definition names. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** `RbacAuthorization` of `rbac.authorization.k8s.io`; `Core` of the empty group. */
export function groupTitle(group: string): string {
  if (group === "") return "Core";
  return group
    .replace(/\.k8s\.io$/, "")
    .split(/[.-]/)
    .map(capitalized)
    .join("");
}

/** `AppsV1` */
export function groupVersionTitle({ group, version }: GroupVersion): string {
  return groupTitle(group) + capitalized(version);
}

/** `rbacAuthorization` */
export function groupTag(group: string): string {
  const title = groupTitle(group);
  return title.charAt(0).toLowerCase() + title.slice(1);
}

/** `apps_v1` */
export function groupVersionTag({ group, version }: GroupVersion): string {
  return `${groupTag(group)}_${version}`;
}

/** `api/v1`, `apis/apps/v1`: the path without slashes around it, and the name of a v3 document. */
export function groupVersionPath({ group, version }: GroupVersion): string {
  return group === "" ? `api/${version}` : `apis/${group}/${version}`;
}

/** `Ephemeralcontainers` of `ephemeralcontainers`. */
export function subresourceTitle(subresource: string): string {
  return capitalized(subresource);
}

/** `com.example.stable.v1.CronTab` of a custom resource. */
export function customDefinitionName({ group, version }: GroupVersion, kind: string): string {
  return `${group.split(".").toReversed().join(".")}.${version}.${kind}`;
}

/** `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group) or `*.*`. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** Source: apimachinery/pkg/runtime/schema ParseGroupResource. */
export function parseGroupResource(text: string): GroupResource {
  const dot = text.indexOf(".");
  if (dot < 0) return { group: "", resource: text };
  return { resource: text.slice(0, dot), group: text.slice(dot + 1) };
}

/** The text that `parseGroupResource` reads. */
export function groupResourceText({ group, resource }: GroupResource): string {
  if (group === "") return resource === "*" ? "*." : resource;
  return `${resource}.${group}`;
}

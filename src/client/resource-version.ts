/**
 * Order of two resource versions of one resource: negative when `a` is older. Versions are decimal
 * numbers of any length (comparable since Kubernetes 1.35, KEP-5504); "" is older than all.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function newerResourceVersion(a: string, b: string): string {
  return compareResourceVersions(a, b) < 0 ? b : a;
}

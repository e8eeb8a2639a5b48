/** Whether a path fits one of the patterns of `nonResourceURLs`: `*`, the path itself, or one that ends in `*`. */
export function fitsPath(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => pattern === path || (pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1))));
}

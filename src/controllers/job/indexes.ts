/** Sets of completion indexes as text: `0,2-4,7`. Source: pkg/controller/job/indexed_job_utils.go. */
export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? "").split(",").filter(Boolean)) {
    const [first = 0, last = first] = part.split("-").map(Number);
    for (let index = first; index <= Math.min(last, completions - 1); index++) indexes.add(index);
  }
  return indexes;
}

/** Ascending, runs of three and more as `first-last`. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = [];
  let first: number | undefined;
  let last = -1;
  const close = (): void => {
    if (first === undefined) return;
    if (last === first) parts.push(`${first}`);
    else parts.push(last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  };
  for (const index of [...indexes].toSorted((a, b) => a - b)) {
    if (first === undefined || index !== last + 1) {
      close();
      first = index;
    }
    last = index;
  }
  close();
  return parts.join(",");
}

/**
 * A unified diff of lines with three lines of context, as Go's difflib prints it (without file
 * names); empty when nothing differs. The common subsequence is the longest one, so hunks are
 * small; meant for texts of up to some thousand lines.
 */
export function unifiedDiff(a: readonly string[], b: readonly string[]): string {
  const edits = editsOf(a, b);
  const changed = edits.flatMap((edit, i) => (edit.kind === " " ? [] : [i]));
  if (changed.length === 0) return "";
  let text = "";
  for (const [from, to] of hunks(changed, edits.length)) text += hunkText(edits.slice(from, to));
  return text;
}

const contextLines = 3;

interface Edit {
  readonly kind: " " | "-" | "+";
  readonly line: string;
  /** Positions before the edit, from 0. */
  readonly aLine: number;
  readonly bLine: number;
}

function editsOf(a: readonly string[], b: readonly string[]): Edit[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const edits: Edit[] = [];
  let aLine = 0;
  let bLine = 0;
  const push = (kind: Edit["kind"]): void => {
    const line = (kind === "+" ? b[bLine] : a[aLine]) ?? "";
    edits.push({ kind, line, aLine, bLine });
    if (kind !== "+") aLine++;
    if (kind !== "-") bLine++;
  };
  while (aLine < start) push(" ");
  for (const kind of middleEdits(a.slice(start, endA), b.slice(start, endB))) push(kind);
  while (aLine < a.length) push(" ");
  return edits;
}

/** Longest common subsequence, table of (n+1) x (m+1). */
function middleEdits(a: readonly string[], b: readonly string[]): Edit["kind"][] {
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const kinds: Edit["kind"][] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      kinds.push(" ");
      i++;
      j++;
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) {
      kinds.push("-");
      i++;
    } else {
      kinds.push("+");
      j++;
    }
  }
  return kinds;
}

/** Ranges of edits: changes with their context, joined where contexts meet. */
function hunks(changed: readonly number[], length: number): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (const i of changed) {
    const from = Math.max(0, i - contextLines);
    const to = Math.min(length, i + 1 + contextLines);
    const last = ranges.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges;
}

function hunkText(edits: readonly Edit[]): string {
  const [first] = edits;
  const aCount = edits.filter(({ kind }) => kind !== "+").length;
  const bCount = edits.filter(({ kind }) => kind !== "-").length;
  const head = `@@ -${rangeText(first?.aLine ?? 0, aCount)} +${rangeText(first?.bLine ?? 0, bCount)} @@\n`;
  return head + edits.map(({ kind, line }) => `${kind}${line}\n`).join("");
}

/** `start,count`; a range of one line is its number, an empty one begins before. */
function rangeText(start: number, count: number): string {
  if (count === 1) return String(start + 1);
  return `${count === 0 ? start : start + 1},${count}`;
}

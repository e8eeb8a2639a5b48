/**
 * A unified diff of lines with three lines of context, as Go's difflib prints it (without file
 * names); empty when nothing differs. What is common is found by Ratcliff and Obershelp's rule, so
 * hunks are not the smallest. Source: pmezard/go-difflib, which has it from Python.
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
  const edits: Edit[] = [];
  let aLine = 0;
  let bLine = 0;
  const push = (kind: Edit["kind"]): void => {
    const line = (kind === "+" ? b[bLine] : a[aLine]) ?? "";
    edits.push({ kind, line, aLine, bLine });
    if (kind !== "+") aLine++;
    if (kind !== "-") bLine++;
  };
  const all = { aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length };
  for (const block of [...matchingBlocks(createSearch(a, b), all), { aAt: a.length, bAt: b.length, size: 0 }]) {
    while (aLine < block.aAt) push("-");
    while (bLine < block.bAt) push("+");
    for (let i = 0; i < block.size; i++) push(" ");
  }
  return edits;
}

/** Lines that both texts have. */
interface Block {
  readonly aAt: number;
  readonly bAt: number;
  readonly size: number;
}

interface Range {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

interface Search {
  readonly a: readonly string[];
  readonly b: readonly string[];
  /** Where a line stands in `b`; lines that stand in too many places are left out. */
  readonly places: ReadonlyMap<string, readonly number[]>;
}

/** From so many lines on, those that fill more than one per cent are no beginning of a block. */
const popularFrom = 200;

function createSearch(a: readonly string[], b: readonly string[]): Search {
  const places = new Map<string, number[]>();
  for (const [i, line] of b.entries()) {
    const known = places.get(line);
    if (known === undefined) places.set(line, [i]);
    else known.push(i);
  }
  if (b.length >= popularFrom) {
    const most = Math.floor(b.length / 100) + 1;
    for (const [line, at] of places) if (at.length > most) places.delete(line);
  }
  return { a, b, places };
}

/** The longest block, and by the same rule what stands before and after it. */
function matchingBlocks(search: Search, range: Range): Block[] {
  const { aAt, bAt, size } = longestBlock(search, range);
  if (size === 0) return [];
  const { aFrom, aTo, bFrom, bTo } = range;
  return [
    ...(aFrom < aAt && bFrom < bAt ? matchingBlocks(search, { aFrom, aTo: aAt, bFrom, bTo: bAt }) : []),
    { aAt, bAt, size },
    ...(aAt + size < aTo && bAt + size < bTo
      ? matchingBlocks(search, { aFrom: aAt + size, aTo, bFrom: bAt + size, bTo })
      : []),
  ];
}

/** The first of the longest blocks, made as long as equal lines around it allow. */
function longestBlock({ a, b, places }: Search, { aFrom, aTo, bFrom, bTo }: Range): Block {
  let best = { aAt: aFrom, bAt: bFrom, size: 0 };
  let sizes = new Map<number, number>();
  for (let i = aFrom; i < aTo; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i] ?? "") ?? []) {
      if (j < bFrom) continue;
      if (j >= bTo) break;
      const size = (sizes.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) best = { aAt: i - size + 1, bAt: j - size + 1, size };
    }
    sizes = next;
  }
  let { aAt, bAt, size } = best;
  while (aAt > aFrom && bAt > bFrom && a[aAt - 1] === b[bAt - 1]) {
    aAt--;
    bAt--;
    size++;
  }
  while (aAt + size < aTo && bAt + size < bTo && a[aAt + size] === b[bAt + size]) size++;
  return { aAt, bAt, size };
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

/**
 * The grammar of kubectl's JSONPath templates: text with actions in braces.
 * Source: k8s.io/client-go/util/jsonpath/parser.go.
 */
export type JsonPathStep =
  | { readonly type: "literal"; readonly value: string | number | boolean }
  | { readonly type: "field"; readonly name: string }
  | { readonly type: "wildcard" }
  | { readonly type: "recursive" }
  | { readonly type: "slice"; readonly slice: Slice }
  | { readonly type: "union"; readonly branches: readonly JsonPathAction[] }
  | { readonly type: "filter"; readonly filter: Filter };

/** The steps between two braces, each applied to the results of the one before. */
export type JsonPathAction = readonly JsonPathStep[];

/** Go's slice; a lone index `n` is `n:n+1`, where an end of 0 means the end of the list. */
export interface Slice {
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly step: number | undefined;
  readonly isIndex: boolean;
}

export interface Filter {
  readonly left: JsonPathAction;
  /** `exists` when there is nothing to compare with. */
  readonly operator: string;
  readonly right: JsonPathAction;
}

export type JsonPathBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "action"; readonly steps: JsonPathAction }
  /** The body once for each result of the steps. */
  | {
      readonly type: "range";
      readonly steps: JsonPathAction;
      readonly body: readonly JsonPathBlock[];
    };

/** A template that cannot be read, or values that it cannot be applied to; in upstream's words. */
export class JsonPathError extends Error {
  override readonly name = "JsonPathError";
}

/** Throws `JsonPathError`. */
export function parseTemplate(text: string): readonly JsonPathBlock[] {
  const cursor: Cursor = { text, position: 0 };
  const blocks = parseBlocks(cursor, 0);
  return blocks;
}

/** Recursion is as deep as ranges are nested. */
const rangeDepthMax = 100;

interface Cursor {
  readonly text: string;
  position: number;
}

function parseBlocks(cursor: Cursor, depth: number): JsonPathBlock[] {
  if (depth > rangeDepthMax) throw new JsonPathError("ranges are nested too deeply");
  const blocks: JsonPathBlock[] = [];
  while (cursor.position < cursor.text.length) {
    const open = cursor.text.indexOf("{", cursor.position);
    const end = open < 0 ? cursor.text.length : open;
    if (end > cursor.position) {
      blocks.push({ type: "text", text: cursor.text.slice(cursor.position, end) });
    }
    cursor.position = end + 1;
    if (open < 0) break;
    const { steps, keyword } = parseAction(cursor);
    if (keyword === "end") {
      if (depth === 0) throw new JsonPathError("not in range, nothing to end");
      return blocks;
    }
    if (keyword === "range") {
      blocks.push({ type: "range", steps, body: parseBlocks(cursor, depth + 1) });
    } else blocks.push({ type: "action", steps });
  }
  return blocks;
}

interface Action {
  readonly steps: JsonPathStep[];
  readonly keyword: "range" | "end" | undefined;
}

/** Reads up to and with the closing brace; the opening one has been read. */
function parseAction(cursor: Cursor): Action {
  const steps: JsonPathStep[] = [];
  let keyword: Action["keyword"];
  for (;;) {
    const rest = cursor.text.slice(cursor.position, cursor.position + 3);
    const next = rest[0];
    if (next === undefined || next === "\r" || next === "\n") {
      throw new JsonPathError("unclosed action");
    }
    if (next === "}") {
      cursor.position++;
      return { steps, keyword };
    }
    if (isWordStart(next)) {
      const word = readWord(cursor);
      if (word === "range" || word === "end") keyword = word;
      else if (word === "true" || word === "false") {
        steps.push({ type: "literal", value: word === "true" });
      } else throw new JsonPathError(`unrecognized identifier ${word}`);
    } else steps.push(...parseStep(cursor, { rest, last: steps.at(-1) }));
  }
}

interface Position {
  /** The next three characters. */
  readonly rest: string;
  readonly last: JsonPathStep | undefined;
}

function parseStep(cursor: Cursor, { rest, last }: Position): JsonPathStep[] {
  const next = rest[0] ?? "";
  if (rest === "[?(") return [parseFilter(cursor)];
  if (rest.startsWith("..")) return parseRecursive(cursor, last);
  if (/[-+\d]/.test(next)) return [parseNumber(cursor)];
  cursor.position++;
  switch (next) {
    case " ":
    case "@":
    case "$":
      return [];
    case "[":
      return parseBrackets(cursor);
    case '"':
    case "'":
      return [{ type: "literal", value: readQuoted(cursor, next) }];
    case ".":
      return [readField(cursor)];
    default: {
      const code = next.codePointAt(0) ?? 0;
      const shown = `U+${code.toString(16).toUpperCase().padStart(4, "0")} '${next}'`;
      throw new JsonPathError(`unrecognized character in action: ${shown}`);
    }
  }
}

function isWordStart(character: string): boolean {
  return /[_\p{L}]/u.test(character);
}

/** What ends a word or a field. */
const terminator = /[ \t\r\n.,[\]$@{}]/;

function readWord(cursor: Cursor): string {
  const start = cursor.position;
  while (cursor.position < cursor.text.length) {
    if (terminator.test(cursor.text[cursor.position] ?? "")) break;
    cursor.position++;
  }
  return cursor.text.slice(start, cursor.position);
}

/** A backslash keeps a terminator in the name. */
function readField(cursor: Cursor): JsonPathStep {
  const match = /(?:\\[^]|[^ \t\r\n.,[\]$@{}\\])*/y;
  match.lastIndex = cursor.position;
  const name = match.exec(cursor.text)?.[0] ?? "";
  cursor.position += name.length;
  return name === "*" ? { type: "wildcard" } : { type: "field", name: name.replaceAll("\\", "") };
}

function parseRecursive(cursor: Cursor, last: JsonPathStep | undefined): JsonPathStep[] {
  if (last?.type === "recursive") throw new JsonPathError("invalid multiple recursive descent");
  cursor.position += 2;
  const next = cursor.text[cursor.position] ?? "";
  const named = isWordStart(next) || /\d/.test(next);
  return named ? [{ type: "recursive" }, readField(cursor)] : [{ type: "recursive" }];
}

function parseNumber(cursor: Cursor): JsonPathStep {
  const match = /[-+]?[\d.]*/y;
  match.lastIndex = cursor.position;
  const text = match.exec(cursor.text)?.[0] ?? "";
  cursor.position += text.length;
  const value = /\d/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) throw new JsonPathError(`cannot parse number ${text}`);
  return { type: "literal", value };
}

function readQuoted(cursor: Cursor, quote: string): string {
  const start = cursor.position;
  for (; ; cursor.position++) {
    const character = cursor.text[cursor.position];
    if (character === undefined || character === "\n") {
      throw new JsonPathError("unterminated quoted string");
    }
    if (character === quote && cursor.text[cursor.position - 1] !== "\\") break;
  }
  const text = cursor.text.slice(start, cursor.position++);
  return text.replace(escapes, (sequence, code: string | undefined) => {
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    const plain = escaped[sequence[1] ?? ""];
    if (plain !== undefined) return plain;
    throw new JsonPathError(`unquote string ${quote}${text}${quote} error invalid syntax`);
  });
}

const escapes = /\\(x[\da-f]{2}|u[\da-f]{4}|U[\da-f]{8})|\\[^]?/gi;
const escaped: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** Reads the rest of `[...]`: an index, a slice, a name in quotes, or several of them. */
function parseBrackets(cursor: Cursor): JsonPathStep[] {
  const close = cursor.text.slice(cursor.position).search(/[\]\n]/);
  if (close < 0 || cursor.text[cursor.position + close] === "\n") {
    throw new JsonPathError("unterminated array");
  }
  const inside = cursor.text.slice(cursor.position, cursor.position + close);
  cursor.position += close + 1;
  const branches = inside.split(",");
  if (branches.length === 1) return parseSubscript(inside === "*" ? ":" : inside);
  const actions = branches.map((branch) => parseSubaction(`[${branch.replace(/^ +| +$/g, "")}]`));
  return [{ type: "union", branches: actions }];
}

function parseSubaction(text: string): JsonPathAction {
  return parseAction({ text: `${text}}`, position: 0 }).steps;
}

function parseSubscript(text: string): JsonPathStep[] {
  const quoted = /^'([^']*)'$/.exec(text);
  if (quoted !== null) return [...parseSubaction(`.${quoted[1] ?? ""}`)];
  const match = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text);
  if (match === null) throw new JsonPathError(`invalid array index ${text}`);
  const [, first = "", second, third] = match;
  const start = readIndex(first);
  const isIndex = second === undefined;
  const end = isIndex ? (start ?? 0) + 1 : readIndex(second.slice(1));
  return [
    { type: "slice", slice: { start, end, step: readIndex((third ?? ":").slice(1)), isIndex } },
  ];
}

function readIndex(text: string): number | undefined {
  if (text === "") return undefined;
  if (text === "-") throw new JsonPathError(`array index ${text} is not a number`);
  return Number(text);
}

/** Reads `[?(...)]`. Quotes hide parentheses, once on either side. */
function parseFilter(cursor: Cursor): JsonPathStep {
  cursor.position += 3;
  const start = cursor.position;
  let quote: string | undefined;
  let closed = false;
  for (; ; cursor.position++) {
    const character = cursor.text[cursor.position];
    if (character === undefined || character === "\n")
      throw new JsonPathError("unterminated filter");
    if (character === ")" && (quote === undefined || closed)) break;
    if (character !== '"' && character !== "'") continue;
    if (quote === undefined) quote = character;
    else if (character === quote && cursor.text[cursor.position - 1] !== "\\") closed = true;
  }
  const inside = cursor.text.slice(start, cursor.position);
  if (cursor.text[cursor.position + 1] !== "]") {
    throw new JsonPathError("unclosed array expect ]");
  }
  cursor.position += 2;
  const match = /^([^!<>=]+)([!<>=~]+)(.+?)$/.exec(inside);
  const [, left = inside, operator = "exists", right] = match ?? [];
  const filter: Filter = {
    left: parseSubaction(left),
    operator,
    right: right === undefined ? [] : parseSubaction(right),
  };
  return { type: "filter", filter };
}

import { regexpError } from "../regexp.ts";
import type { Call, Expr } from "./ast.ts";
import type { Checked } from "./checker.ts";
import type { Issue } from "./source.ts";
import { clauseError, formatPieces, precisionOf, unknownClause } from "./library/string-format.ts";
import { parseDuration, parseTimestamp, unixSecondsMax, unixSecondsMin } from "./time.ts";
import {
  dynType,
  formatType,
  isDyn,
  isOptional,
  sameType,
  unwrapOptional,
  type CelType,
  type TypeKind,
} from "./types.ts";
import { CelError, type CelValue } from "./value.ts";

/**
 * Looks at literals once more: durations, timestamps, patterns and formats must be right, and
 * elements of one literal have one type. Source: cel-go cel/validator.go.
 */
export function literalIssues(expr: Expr, checked: Checked): Issue[] {
  const found: Record<"duration" | "timestamp" | "regex" | "homogeneous" | "format", Issue[]> = {
    homogeneous: [],
    duration: [],
    timestamp: [],
    regex: [],
    format: [],
  };
  for (const { node, inFormat } of nodes(expr)) {
    if (node.kind === "call") {
      found.duration.push(...badArgument(node, "duration", isDuration));
      found.timestamp.push(...badArgument(node, "timestamp", isTimestamp));
      found.regex.push(...badArgument(node, "matches", isPattern));
      found.format.push(...formatIssues(node, checked));
    } else if (!inFormat) found.homogeneous.push(...mixedElements(node, checked));
  }
  return Object.values(found).flat();
}

interface Visited {
  readonly node: Expr;
  /** Somewhere inside a call of `format`, whose arguments may be of any types. */
  readonly inFormat: boolean;
}

function* nodes(root: Expr): Generator<Visited> {
  const rest: Visited[] = [{ node: root, inFormat: false }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    yield next;
    const { node } = next;
    const inFormat = next.inFormat || (node.kind === "call" && node.name === "format");
    for (const child of children(node).toReversed()) rest.push({ node: child, inFormat });
  }
}

function children(node: Expr): Expr[] {
  switch (node.kind) {
    case "select":
      return [node.operand];
    case "call":
      return node.target === undefined ? [...node.args] : [node.target, ...node.args];
    case "list":
      return [...node.elements];
    case "map":
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return node.fields.map(({ value }) => value);
    case "comprehension":
      return [node.iterRange, node.accuInit, node.condition, node.step, node.result];
    default:
      return [];
  }
}

function badArgument(call: Call, name: string, isRight: (value: CelValue) => boolean): Issue[] {
  if (call.name !== name) return [];
  const literal = name === "matches" && call.target === undefined ? call.args[1] : call.args[0];
  if (literal?.kind !== "literal" || isRight(literal.value)) return [];
  return [{ offset: literal.offset, message: `invalid ${name} argument` }];
}

function isDuration(value: CelValue): boolean {
  return typeof value !== "string" || parseDuration(value) !== undefined;
}

function isTimestamp(value: CelValue): boolean {
  if (typeof value === "bigint") return value >= unixSecondsMin && value <= unixSecondsMax;
  if (typeof value !== "string") return true;
  try {
    return parseTimestamp(value) !== undefined;
  } catch (thrown) {
    if (thrown instanceof CelError) return false;
    throw thrown;
  }
}

function isPattern(value: CelValue): boolean {
  return typeof value !== "string" || regexpError(value) === undefined;
}

function mixedElements(node: Expr, { types }: Checked): Issue[] {
  const typeOf = (expr: Expr, optional: boolean): CelType => {
    const type = types.get(expr.id) ?? dynType;
    return optional && isOptional(type) ? unwrapOptional(type) : type;
  };
  if (node.kind === "list") {
    const elements = node.elements.map((at, i) => ({
      at,
      type: typeOf(at, node.optionals.has(i)),
    }));
    return firstMismatch(elements);
  }
  if (node.kind !== "map") return [];
  const keys = node.entries.map(({ key }) => ({ at: key, type: typeOf(key, false) }));
  const values = node.entries.map(({ value, optional }) => {
    return { at: value, type: typeOf(value, optional) };
  });
  return [...firstMismatch(keys), ...firstMismatch(values)].slice(0, 1);
}

function firstMismatch(elements: readonly { at: Expr; type: CelType }[]): Issue[] {
  const [first, ...rest] = elements;
  if (first === undefined) return [];
  const wrong = rest.find(({ type }) => !equivalent(first.type, type));
  if (wrong === undefined) return [];
  const message = `expected type '${formatType(first.type)}' but found '${formatType(wrong.type)}'`;
  return [{ offset: wrong.at.offset, message }];
}

function equivalent(a: CelType, b: CelType): boolean {
  return sameType(a, b) || (isDyn(a) && isDyn(b));
}

const clauseKinds: Readonly<Record<string, readonly TypeKind[]>> = {
  s: [
    "list",
    "map",
    "int",
    "uint",
    "double",
    "bool",
    "string",
    "timestamp",
    "bytes",
    "duration",
    "type",
    "null",
  ],
  d: ["int", "uint"],
  f: ["double", "string"],
  e: ["double", "string"],
  b: ["int", "uint", "bool"],
  x: ["int", "uint", "string", "bytes"],
  o: ["int", "uint"],
};

/**
 * Checks `"...".format([...])` against the types of the arguments. Source: cel-go
 * ext/formatting.go.
 */
function formatIssues(call: Call, checked: Checked): Issue[] {
  const { target, args } = call;
  const list = args[0];
  if (call.name !== "format" || target?.kind !== "literal" || typeof target.value !== "string") {
    return [];
  }
  if (list?.kind !== "list" || args.length !== 1) return [];
  const { elements } = list;
  let used = 0;
  try {
    for (const piece of formatPieces(target.value)) {
      if (piece.kind === "text") continue;
      if (piece.kind === "end") throw new CelError("unexpected end of string");
      const element = elements[used];
      if (element === undefined) throw new CelError(`index ${used} out of range`);
      used++;
      precisionOf(piece);
      const wrong = unsuitableArgument(element, { verb: piece.verb, checked });
      if (wrong !== undefined) return [wrong];
    }
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    return [{ offset: call.offset, message: thrown.message }];
  }
  if (elements.length <= used) return [];
  const message = `too many arguments supplied to string.format (expected ${used}, got ${elements.length})`;
  return [{ offset: call.offset, message }];
}

function unsuitableArgument(
  argument: Expr,
  { verb, checked }: { verb: string; checked: Checked },
): Issue | undefined {
  const kinds = clauseKinds[verb === "X" ? "x" : verb];
  if (kinds === undefined) throw unknownClause(verb);
  const type = checked.types.get(argument.id) ?? dynType;
  if (!isDyn(type) && !kinds.includes(type.kind)) {
    const message = `error during formatting: ${clauseError(verb, type.name)}`;
    return { offset: argument.offset, message };
  }
  if (verb !== "s" || (argument.kind !== "list" && argument.kind !== "map")) return undefined;
  for (const part of children(argument)) {
    const wrong = unsuitableArgument(part, { verb, checked });
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

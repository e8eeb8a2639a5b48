import { regexpError } from "../regexp.ts";
import type { Call, Expr } from "./ast.ts";
import type { Checked } from "./checker.ts";
import type { Issue } from "./source.ts";
import { parseDuration, parseTimestamp } from "./time.ts";
import { dynType, formatType, isDyn, isOptional, sameType, unwrapOptional, type CelType } from "./types.ts"; // prettier-ignore
import { CelError } from "./value.ts";

/**
 * Looks at literals once more: durations, timestamps and patterns must be right, and elements of one
 * literal have one type. Source: cel-go cel/validator.go.
 */
export function literalIssues(expr: Expr, checked: Checked): Issue[] {
  const found: Record<"duration" | "timestamp" | "regex" | "homogeneous", Issue[]> = {
    duration: [],
    timestamp: [],
    regex: [],
    homogeneous: [],
  };
  for (const node of nodes(expr)) {
    if (node.kind === "call") {
      found.duration.push(...badArgument(node, "duration", isDuration));
      found.timestamp.push(...badArgument(node, "timestamp", isTimestamp));
      found.regex.push(...badArgument(node, "matches", isPattern));
    } else found.homogeneous.push(...mixedElements(node, checked));
  }
  return [...found.duration, ...found.timestamp, ...found.regex, ...found.homogeneous];
}

function* nodes(root: Expr): Generator<Expr> {
  const rest: Expr[] = [root];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    yield node;
    rest.push(...children(node).toReversed());
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

function badArgument(call: Call, name: string, isRight: (text: string) => boolean): Issue[] {
  if (call.name !== name) return [];
  const literal = name === "matches" && call.target === undefined ? call.args[1] : call.args[0];
  if (literal?.kind !== "literal" || typeof literal.value !== "string") return [];
  if (isRight(literal.value)) return [];
  return [{ offset: literal.offset, message: `invalid ${name} argument` }];
}

function isDuration(text: string): boolean {
  return parseDuration(text) !== undefined;
}

function isTimestamp(text: string): boolean {
  try {
    return parseTimestamp(text) !== undefined;
  } catch (thrown) {
    if (thrown instanceof CelError) return false;
    throw thrown;
  }
}

function isPattern(text: string): boolean {
  return regexpError(text) === undefined;
}

function mixedElements(node: Expr, { types }: Checked): Issue[] {
  const typeOf = (expr: Expr, optional: boolean): CelType => {
    const type = types.get(expr.id) ?? dynType;
    return optional && isOptional(type) ? unwrapOptional(type) : type;
  };
  if (node.kind === "list") {
    const elements = node.elements.map((at, i) => ({ at, type: typeOf(at, node.optionals.has(i)) }));
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

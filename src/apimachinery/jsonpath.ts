import { goJson, goText, goTypeName } from "./go-format.ts";
import { isJsonMap } from "./json-value.ts";
import {
  type Filter,
  type JsonPathAction,
  type JsonPathBlock,
  JsonPathError,
  type JsonPathStep,
  parseTemplate,
  type Slice,
} from "./jsonpath-parser.ts";
import { getOwn } from "./maps.ts";
import { compileRegexp, RegexpError } from "./regexp.ts";

/**
 * JSONPath as kubectl and CustomResourceDefinitions have it: `{.items[*].metadata.name}`, with text
 * around, slices, unions, filters, recursive descent and `{range}...{end}`.
 * Source: k8s.io/client-go/util/jsonpath.
 */
export interface JsonPath {
  /** The results of each action and text, in order. Throws `JsonPathError`. */
  readonly find: (value: unknown) => unknown[][];
  /** The template with its results. Throws `JsonPathError`. */
  readonly print: (value: unknown) => string;
}

export interface JsonPathOptions {
  /** An absent member gives no result instead of an error. */
  readonly allowMissingKeys?: boolean;
}

/** Compiles a template. Throws `JsonPathError`. */
export function compileJsonPath(template: string, options: JsonPathOptions = {}): JsonPath {
  const blocks = parseTemplate(template);
  const missing = options.allowMissingKeys === true ? "allow" : "refuse";
  const find = (value: unknown) => findBlocks(blocks, value, missing);
  return { find, print: (value) => find(value).map(printResults).join("") };
}

/**
 * Compiles a path without braces, such as `.spec.replicas` of a printer column: its first result,
 * undefined when there is none or the path does not fit the value. Throws `JsonPathError`.
 */
export function compileFieldPath(path: string): (value: unknown) => unknown {
  const { find } = compileJsonPath(`{${path}}`, { allowMissingKeys: true });
  return (value) => {
    try {
      return find(value)[0]?.[0];
    } catch (error) {
      if (error instanceof JsonPathError) return undefined;
      throw error;
    }
  };
}

/** The members that a plain path names: `.spec.replicas`; undefined when it is not plain. */
export function fieldNamesOf(path: string): string[] | undefined {
  if (!/^(?:\.(?:\\.|[^.[\]{}*?@$\\ ])+)+$/.test(path)) return undefined;
  const names = path.slice(1).match(/(?:\\.|[^.\\])+/g) ?? [];
  return names.map((name) => name.replaceAll("\\", ""));
}

/**
 * A template of what users write for sorting and custom columns: `a.b`, `.a.b`, `{a.b}`, `{.a.b}`.
 * Throws `JsonPathError`.
 */
export function relaxedTemplate(text: string): string {
  if (text === "") return text;
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(text);
  if (match !== null) return `{.${match[1] ?? match[2] ?? ""}}`;
  throw new JsonPathError(
    "unexpected path string, expected a 'name1.name2' or '.name1.name2' " +
      "or '{name1.name2}' or '{.name1.name2}'",
  );
}

/** Results of one action as text: scalars as Go prints them, the rest as JSON, blanks between. */
export function printResults(results: readonly unknown[]): string {
  return results
    .map((result) =>
      typeof result === "object" && result !== null ? goJson(result) : goText(result),
    )
    .join(" ");
}

type Missing = "allow" | "refuse";

function findBlocks(
  blocks: readonly JsonPathBlock[],
  value: unknown,
  missing: Missing,
): unknown[][] {
  return blocks.flatMap((block) => {
    if (block.type === "text") return [[block.text]];
    const results = walk(block.steps, [value], missing);
    if (block.type === "action") return [results];
    return results.flatMap((result) => findBlocks(block.body, result, missing));
  });
}

function walk(steps: JsonPathAction, input: readonly unknown[], missing: Missing): unknown[] {
  let values = [...input];
  for (const step of steps) values = takeStep(step, values, missing);
  return values;
}

function takeStep(step: JsonPathStep, values: readonly unknown[], missing: Missing): unknown[] {
  switch (step.type) {
    case "literal":
      return typeof step.value === "string" ? [step.value] : values.map(() => step.value);
    case "field":
      return takeField(step.name, values, missing);
    case "wildcard":
      return values.flatMap(contentsOf);
    case "recursive":
      return values.flatMap(containersIn);
    case "slice":
      return values.flatMap((value) => takeSlice(step.slice, value));
    case "union":
      return step.branches.flatMap((branch) => walk(branch, values, missing));
    case "filter":
      return values.flatMap((value) => takeMatching(step.filter, value, missing));
  }
}

function takeField(name: string, values: readonly unknown[], missing: Missing): unknown[] {
  const found: unknown[] = [];
  for (const value of values) {
    const member = isJsonMap(value) ? getOwn(value, name) : undefined;
    if (member !== undefined) found.push(member);
  }
  if (found.length === 0 && values.length > 0 && missing === "refuse") {
    throw new JsonPathError(`${name} is not found`);
  }
  return found;
}

function contentsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isJsonMap(value) ? Object.values(value).filter((member) => member !== undefined) : [];
}

/** The value and all inside that hold something, the outer ones first. */
function containersIn(value: unknown): unknown[] {
  const contents = contentsOf(value);
  return contents.length === 0 ? [] : [value, ...contents.flatMap(containersIn)];
}

function takeSlice({ start, end, step = 1, isIndex }: Slice, value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) {
    throw new JsonPathError(`${goTypeName(value)} is not array or slice`);
  }
  const { length } = value;
  let from = start ?? 0;
  if (from < 0) from += length;
  let to = end ?? length;
  if (to < 0 || (to === 0 && isIndex)) to += length;
  if (from === to) return [];
  if (from >= length || from < 0) throw outOfBounds(from, length);
  if (to > length || to < 0) throw outOfBounds(to - 1, length);
  if (from > to) {
    throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
  }
  if (step <= 0) throw new JsonPathError("step must be > 0");
  return value.slice(from, to).filter((_, index) => index % step === 0);
}

function outOfBounds(index: number, length: number): JsonPathError {
  return new JsonPathError(`array index out of bounds: index ${index}, length ${length}`);
}

function takeMatching(
  { left, operator, right }: Filter,
  value: unknown,
  missing: Missing,
): unknown[] {
  if (!Array.isArray(value)) {
    throw new JsonPathError(`${goText(value)} is not array or slice and cannot be filtered`);
  }
  return value.filter((item) => {
    if (operator === "exists") return walk(left, [item], "allow").length > 0;
    const lefts = walk(left, [item], missing);
    if (lefts.length === 0) return false;
    if (lefts.length > 1) throw new JsonPathError("can only compare one element at a time");
    const rights = walk(right, [item], missing);
    if (rights.length === 0) return false;
    if (rights.length > 1) throw new JsonPathError("can only compare one element at a time");
    return holds(operator, lefts[0], rights[0]);
  });
}

function holds(operator: string, left: unknown, right: unknown): boolean {
  switch (operator) {
    case "==":
      return isEqual(left, right);
    case "!=":
      return !isEqual(left, right);
    case "<":
      return isLess(left, right);
    case "<=":
      return isLess(left, right) || isEqual(left, right);
    case ">":
      return !isLess(left, right) && !isEqual(left, right);
    case ">=":
      return !isLess(left, right);
    case "=~":
      return matchesRegexp(left, right);
    default:
      throw new JsonPathError(`unrecognized filter operator ${operator}`);
  }
}

function isEqual(left: unknown, right: unknown): boolean {
  comparableKind(left, right);
  return left === right;
}

function isLess(left: unknown, right: unknown): boolean {
  const kind = comparableKind(left, right);
  if (kind === "bool") throw new JsonPathError("invalid type for comparison");
  return (left as number) < (right as number);
}

/** Integers and fractions do not compare in Go. */
function comparableKind(left: unknown, right: unknown): string {
  const [a, b] = [goTypeName(left), goTypeName(right)];
  for (const kind of [a, b]) {
    if (!["bool", "int64", "float64", "string"].includes(kind)) {
      throw new JsonPathError("invalid type for comparison");
    }
  }
  if (a !== b) throw new JsonPathError("incompatible types for comparison");
  return a;
}

function matchesRegexp(data: unknown, pattern: unknown): boolean {
  if (typeof data !== "string" || typeof pattern !== "string") {
    const shown = `pattern: ${goText(pattern)}, data: ${goText(data)}`;
    throw new JsonPathError(`regexp search only support string now but getting ${shown}`);
  }
  try {
    return compileRegexp(pattern).test(data);
  } catch (cause) {
    if (cause instanceof RegexpError) throw new JsonPathError(cause.message, { cause });
    throw cause;
  }
}

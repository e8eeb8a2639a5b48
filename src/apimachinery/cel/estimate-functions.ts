import {
  addRanges,
  fixedRange,
  multiplyRanges,
  scaleRange,
  sizeOf,
  unionRanges,
  unlimited,
  type CallEstimate,
  type CallToEstimate,
  type EstimatedNode,
  type Range,
} from "./estimate.ts";
import { attributeValuesMax } from "./limits.ts";
import { sameType } from "./types.ts";

const traversalFactor = 0.1;
const regexFactor = 0.25;
const one = fixedRange(1);
const listCost = 10;
const structCost = 40;
/** Longest text of a named format, and of its pattern. Source: pkg/cel/limits.go. */
const formatCharsMax = 64;
const formatPatternCharsMax = 128;

type Estimator = (call: CallToEstimate) => CallEstimate | undefined;

function named<T>(names: string, value: T): [string, T][] {
  return names.split(" ").map((name) => [name, value]);
}

function traverse(size: Range): Range {
  return scaleRange(size, traversalFactor);
}

const nominal: Estimator = () => ({ cost: one });

/** Functions of one string: the argument, or the target of a method. */
const traverseArgument: Estimator = ({ args: [arg] }) => {
  return arg && { cost: traverse(sizeOf(arg)) };
};

const convertArgument: Estimator = ({ args }) => {
  const [arg] = args;
  if (arg === undefined || args.length !== 1) return undefined;
  return { cost: traverse(sizeOf(arg)), size: sizeOf(arg) };
};

const convertTarget: Estimator = ({ target }) => {
  return target && { cost: traverse(sizeOf(target)), size: sizeOf(target) };
};

/** The element of a list, with the bound its schema sets. */
function elementOf(list: EstimatedNode, call: CallToEstimate): EstimatedNode | undefined {
  const [type] = list.type.params;
  if (type === undefined) return undefined;
  const path = list.path.length === 0 ? [] : [...list.path, "@items"];
  return { path, type, expr: undefined, size: call.sizeAt(path, type) };
}

const traverseElements: Estimator = (call) => {
  const { target } = call;
  if (target === undefined) return undefined;
  const element = elementOf(target, call);
  // indexOf and lastIndexOf of strings.
  if (element === undefined) return { cost: traverse(sizeOf(target)) };
  const isText = element.type.kind === "string" || element.type.kind === "bytes";
  const each = isText ? addRanges(one, traverse(sizeOf(element))) : one;
  return { cost: multiplyRanges(sizeOf(target), each) };
};

const selector: Estimator = ({ args }) => {
  const [text] = args;
  if (text === undefined || args.length !== 1) return undefined;
  const size = sizeOf(text);
  const requirements = scaleRange(scaleRange(size, 0.5), listCost + structCost);
  return { cost: addRanges(fixedRange(listCost), traverse(size), requirements) };
};

/** Least or most often that a part occurs, and what is kept beside. */
const replace: Estimator = ({ target, args: [old, replacement] }) => {
  if (target === undefined || old === undefined || replacement === undefined) return undefined;
  const [text, from, to] = [sizeOf(target), sizeOf(old), sizeOf(replacement)];
  const count = { min: 0, max: 0 };
  const kept = { min: 0, max: 0 };
  if (from.min === 0) {
    count.max = Math.min(text.max + 1, unlimited);
    kept.max = text.max;
  } else if (to.max <= from.min) kept.max = text.max;
  else count.max = Math.ceil(text.max / from.min);
  if (from.max === 0) {
    count.min = Math.min(text.min + 1, unlimited);
    kept.min = text.min;
  } else if (from.max <= to.min) kept.min = text.min;
  else count.min = Math.ceil(text.min / from.max);
  const size = addRanges(multiplyRanges(count, to), kept);
  return { cost: scaleRange(text, 2 * traversalFactor), size };
};

const split: Estimator = ({ target, args }) => {
  if (target === undefined) return undefined;
  const size = sizeOf(target);
  const limit = args[1]?.expr;
  const count = limit?.kind === "literal" ? limit.value : undefined;
  const isLimited = typeof count === "bigint";
  const max = isLimited ? Number(BigInt.asUintN(64, count)) : size.max;
  return { cost: scaleRange(size, 2 * traversalFactor), size: { min: 0, max } };
};

const join: Estimator = (call) => {
  const { target, args } = call;
  if (target === undefined) return undefined;
  const list = sizeOf(target);
  const element = elementOf(target, call);
  let size: Range = element === undefined ? fixedRange(0) : multiplyRanges(list, sizeOf(element));
  if (args[0] !== undefined) {
    const separators = { min: Math.max(list.min - 1, 0), max: Math.max(list.max - 1, 0) };
    size = addRanges(size, multiplyRanges(sizeOf(args[0]), separators));
  }
  return { cost: traverse(size), size };
};

function patternCost(text: Range, pattern: Range): Range {
  return multiplyRanges(traverse(addRanges(text, one)), scaleRange(pattern, regexFactor));
}

const find: Estimator = ({ target, args: [pattern] }) => {
  if (target === undefined || pattern === undefined) return undefined;
  const size = { min: 0, max: sizeOf(target).max };
  return { cost: patternCost(sizeOf(target), sizeOf(pattern)), size };
};

const ip: Estimator = (call) =>
  call.overloadId === "cidr_ip" ? { cost: one } : traverseArgument(call);

const traverseArgumentTwice: Estimator = ({ args: [arg] }) => {
  return arg && { cost: scaleRange(sizeOf(arg), 2 * traversalFactor) };
};

/** Bytes of an address. */
const addressSize: Range = { min: 4, max: 16 };
const addressComparison = scaleRange(addRanges(addressSize, addressSize), traversalFactor);

const containsIp: Estimator = ({ args: [other], overloadId }) => {
  if (other === undefined) return undefined;
  if (overloadId !== "cidr_contains_ip_string") return { cost: addressComparison };
  return { cost: addRanges(addressComparison, traverse(sizeOf(other))) };
};

const containsCidr: Estimator = ({ args: [other], overloadId }) => {
  if (other === undefined) return undefined;
  const cost = addRanges(addressComparison, traverse(addressSize), one);
  if (overloadId !== "cidr_contains_cidr_string") return { cost };
  return { cost: addRanges(cost, traverse(sizeOf(other))) };
};

const validate: Estimator = ({ args: [text] }) => {
  if (text === undefined) return undefined;
  return { cost: scaleRange(traverse(sizeOf(text)), formatPatternCharsMax * regexFactor) };
};

const constantEquality: ReadonlySet<string> = new Set([
  "net.IP",
  "net.CIDR",
  "kubernetes.Quantity",
  "kubernetes.Semver",
  "kubernetes.authorization.Authorizer",
  "kubernetes.authorization.PathCheck",
  "kubernetes.authorization.GroupCheck",
  "kubernetes.authorization.ResourceCheck",
  "kubernetes.authorization.Decision",
]);

const equality: Estimator = ({ args }) => {
  const [left, right] = args;
  if (left === undefined || right === undefined || !sameType(left.type, right.type)) {
    return undefined;
  }
  const { name } = left.type;
  if (constantEquality.has(name)) return { cost: one };
  if (name === "kubernetes.NamedFormat") return { cost: traverse({ min: 1, max: formatCharsMax }) };
  if (name !== "kubernetes.URL") return undefined;
  const max = right.size?.max ?? 1;
  return { cost: traverse({ min: 1, max }) };
};

/** By function name. Source: pkg/cel/library/cost.go, EstimateCallCost. */
const byFunction: ReadonlyMap<string, Estimator> = new Map<string, Estimator>([
  ["check", () => ({ cost: fixedRange(350_000) })],
  ...named("serviceAccount path group resource subresource namespace name allowed reason", nominal),
  ...named("error errored masked prefixLength family isUnspecified isLoopback", nominal),
  ...named("isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign", nominal),
  ...named("asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo", nominal),
  ...named("add sub major minor patch getScheme getHostname getHost getPort", nominal),
  ...named("getEscapedPath getQuery", nominal),
  ...named("fieldSelector labelSelector", selector),
  ...named("isSorted sum max min indexOf lastIndexOf", traverseElements),
  ...named("url jsonpatch.escapeKey", convertArgument),
  ...named("lowerAscii upperAscii substring trim", convertTarget),
  ["replace", replace],
  ["split", split],
  ["join", join],
  ...named("find findAll", find),
  ...named("cidr isIP isCIDR quantity isQuantity semver isSemver", traverseArgument),
  ["ip", ip],
  ["ip.isCanonical", traverseArgumentTwice],
  ["containsIP", containsIp],
  ["containsCIDR", containsCidr],
  ["validate", validate],
  ["_==_", equality],
]);

function literalCount(node: EstimatedNode | undefined, otherwise: number): number {
  const value = node?.expr?.kind === "literal" ? node.expr.value : undefined;
  if (typeof value !== "bigint") return otherwise;
  return value < 0n ? 0 : Number(value);
}

function allocating(factor: number, size: Range): CallEstimate {
  return { cost: addRanges(scaleRange(size, factor), one, fixedRange(listCost)), size };
}

const slice: Estimator = ({ target, args: [start, end] }) => {
  const count = literalCount(end, sizeOf(target).max) - literalCount(start, 0);
  return allocating(1, fixedRange(count < 0 ? unlimited : count));
};

const flatten: Estimator = ({ target, args }) => {
  return allocating(args.length === 0 ? 1 : literalCount(args[0], unlimited), sizeOf(target));
};

const comparing =
  (factor: number, keys: (call: CallToEstimate) => EstimatedNode | undefined): Estimator =>
  (call) => {
    const size = sizeOf(keys(call));
    return allocating(factor, multiplyRanges(size, size));
  };

function sortEstimators(type: string): [string, Estimator][] {
  const factor = type === "string" || type === "bytes" ? 2.1 : 2;
  return [
    [`list_${type}_sort`, comparing(factor, ({ target }) => target)],
    [`list_${type}_sortByAssociatedKeys`, comparing(factor, ({ args: [keys] }) => keys)],
  ];
}

const setComparison =
  (factor: number): Estimator =>
  ({ args: [a, b] }) => {
    return { cost: addRanges(scaleRange(multiplyRanges(sizeOf(a), sizeOf(b)), factor), one) };
  };

/** By overload id; these come first. Source: cel-go ext/lists.go, ext/sets.go. */
const byOverload: ReadonlyMap<string, Estimator> = new Map<string, Estimator>([
  ["list_slice", slice],
  ["list_flatten", flatten],
  ["list_flatten_int", flatten],
  ["lists_range", ({ args: [count] }) => allocating(1, fixedRange(literalCount(count, unlimited)))],
  ["list_reverse", ({ target }) => allocating(1, sizeOf(target))],
  ["list_distinct", comparing(2, ({ target }) => target)],
  ...[
    "int",
    "uint",
    "double",
    "bool",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
  ].flatMap(sortEstimators),
  ...["string", "bytes"].flatMap(sortEstimators),
  ["list_sets_contains_list", setComparison(1)],
  ["list_sets_intersects_list", setComparison(1)],
  ["list_sets_equivalent_list", setComparison(2)],
  ["dra_includes_dyn_dyn", () => ({ cost: { min: 0, max: attributeValuesMax } })],
]);

const bytesFromString: Estimator = ({ args: [text] }) => {
  const size = sizeOf(text);
  return { cost: traverse(size), size: { min: size.min, max: Math.min(size.max * 4, unlimited) } };
};

const stringFromBytes: Estimator = ({ args: [bytes] }) => {
  const size = sizeOf(bytes);
  return { cost: traverse(size), size: { min: Math.trunc(size.min / 4), max: size.max } };
};

const quote: Estimator = ({ args: [text] }) => {
  const size = sizeOf(text);
  const max = Math.min(size.max * 2 + 2, unlimited);
  return { cost: traverse(size), size: { min: size.min + 2, max } };
};

const smallerOperand: Estimator = ({ args: [a, b] }) => {
  const max = Math.min(sizeOf(a).max, sizeOf(b).max);
  return { cost: traverse({ min: max > 0 ? 1 : 0, max }) };
};

const concatenation: Estimator = ({ args: [a, b], overloadId }) => {
  const size = addRanges(sizeOf(a), sizeOf(b));
  return { cost: overloadId === "add_list" ? one : traverse(size), size };
};

/** By overload id, after `byFunction`. Source: cel-go checker/cost.go, functionCost. */
const standard: ReadonlyMap<string, Estimator> = new Map<string, Estimator>([
  ["string_format", ({ target }) => ({ cost: traverse(sizeOf(target)) })],
  ["string_to_bytes", bytesFromString],
  ["bytes_to_string", stringFromBytes],
  ["strings_quote", quote],
  ...named("starts_with_string ends_with_string", traverseArgument),
  ["in_list", ({ args: [, list] }) => ({ cost: sizeOf(list) })],
  [
    "matches_string",
    ({ target, args: [pattern] }) => ({ cost: patternCost(sizeOf(target), sizeOf(pattern)) }),
  ],
  [
    "contains_string",
    ({ target, args: [part] }) => ({
      cost: multiplyRanges(traverse(sizeOf(target)), traverse(sizeOf(part))),
    }),
  ],
  ...named("add_string add_bytes add_list", concatenation),
  ...named("less_string greater_string less_equals_string greater_equals_string", smallerOperand),
  ...named("less_bytes greater_bytes less_equals_bytes greater_equals_bytes", smallerOperand),
  ...named("equals not_equals", smallerOperand),
]);

/** What one overload of a function costs, arguments not included. */
export function estimateCall(call: CallToEstimate): CallEstimate {
  return (
    byOverload.get(call.overloadId)?.(call) ??
    byFunction.get(call.name)?.(call) ??
    standard.get(call.overloadId)?.(call) ?? { cost: one }
  );
}

/** `c ? a : b` has the size of either. */
export function eitherSize(a: EstimatedNode | undefined, b: EstimatedNode | undefined): Range {
  return unionRanges(sizeOf(a), sizeOf(b));
}

import { regexpWeight } from "../regexp.ts";
import { codePoints } from "./source.ts";
import { CelList, CelMap, CelOpaque, CelOptional, type CelValue } from "./value.ts";

/** Cost units of what has a fixed price. Source: cel-go common/cost.go. */
export const cost = { access: 1, call: 1, list: 10, map: 30, struct: 40 } as const;

const traversalFactor = 0.1;
const regexFactor = 0.25;

/** How a call is charged. `before`: by its arguments; `after`: by its result. */
export type CostRule =
  | { readonly kind: "fixed"; readonly units: number }
  | { readonly kind: "before"; readonly units: (args: readonly CelValue[]) => number }
  | { readonly kind: "after"; readonly units: (result: CelValue) => number };

/** What `size(x)` would be, 1 for values that have no size. */
export function sizeForCost(value: CelValue | undefined): number {
  if (typeof value === "string") return codePoints(value);
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelOpaque) return value.size ?? 1;
  return 1;
}

function sizeInOptional(value: CelValue | undefined): number {
  return value instanceof CelOptional && value.value !== undefined
    ? sizeInOptional(value.value)
    : sizeForCost(value);
}

function fixed(units: number): CostRule {
  return { kind: "fixed", units };
}

function before(units: (args: readonly CelValue[]) => number): CostRule {
  return { kind: "before", units };
}

const one = fixed(cost.call);

function traversals(size: number): number {
  return Math.ceil(size * traversalFactor);
}

const traverseFirst = before(([first]) => traversals(sizeForCost(first)));
const traverseFirstTwice = before(([first]) => Math.ceil(sizeForCost(first) * 2 * traversalFactor));
const traverseElements = before(([first]) => traversalCost(first ?? null));

/** Cost of walking a value as a tree. Strings count bytes. Source: pkg/cel/library/cost.go. */
function traversalCost(value: CelValue): number {
  if (typeof value === "string") return Math.trunc(Buffer.byteLength(value) * traversalFactor);
  if (value instanceof Uint8Array) return Math.trunc(value.length * traversalFactor);
  let total = 0;
  if (value instanceof CelList) {
    for (const element of value) total += traversalCost(element);
    return total;
  }
  if (value instanceof CelMap) {
    for (const key of value.keys()) {
      total += traversalCost(key) + traversalCost(value.get(key) ?? null);
    }
    return total;
  }
  return 1;
}

/** String length times pattern length, each in its own units. */
export function regexCost(textSize: number, patternSize: number): number {
  const text = Math.ceil((1 + textSize) * traversalFactor);
  return text * Math.ceil(patternSize * regexFactor);
}

/** Weight of a pattern that is covered by what its length costs. */
const lightPattern = 1000;
const weightFactor = 2.5;

/**
 * An additional charge for a pattern that is not known beforehand. Upstream goes by its length only;
 * here `(a{1000}){9}` must not be cheaper than it is written out, since compiling takes longer.
 */
export function patternWeightCost(pattern: CelValue | undefined): number {
  if (typeof pattern !== "string") return 0;
  return Math.ceil(Math.max(0, regexpWeight(pattern) - lightPattern) * weightFactor);
}

const matchCost = before(([text, pattern]) => regexCost(sizeForCost(text), sizeForCost(pattern)));

const smallerOperand = before(([a, b]) => {
  return traversals(Math.min(sizeInOptional(a), sizeInOptional(b)));
});

const equality = before(([a, b]) => {
  if (a instanceof CelOpaque) return 1;
  return traversals(Math.min(sizeInOptional(a), sizeInOptional(b)));
});

const bothOperands = before(([a, b]) => traversals(sizeInOptional(a) + sizeInOptional(b)));

const containment = before(([text, part]) => {
  return traversals(sizeInOptional(text)) * traversals(sizeInOptional(part));
});

/** Selectors count their text and about one requirement per two characters. */
const selector = before(([, text]) => {
  const size = sizeForCost(text);
  const requirements = Math.ceil(size * 0.5);
  return cost.list + traversals(size) + requirements * (cost.list + cost.struct);
});

function containsCidr(parsesText: boolean): CostRule {
  return before(([cidr, other]) => {
    const size = sizeForCost(cidr);
    const compared = Math.ceil((size + size) * traversalFactor) + traversals(size) + 1;
    return compared + (parsesText ? traversals(sizeForCost(other)) : 0);
  });
}

function containsIp(parsesText: boolean): CostRule {
  return before(([cidr, other]) => {
    const size = sizeForCost(cidr);
    const compared = Math.ceil((size + size) * traversalFactor);
    return compared + (parsesText ? traversals(sizeForCost(other)) : 0);
  });
}

/** An authorization check costs so much that an expression can make two. */
const authorizationCheck = fixed(350_000);

function named(names: string, rule: CostRule): [string, CostRule][] {
  return names.split(" ").map((name) => [name, rule]);
}

/** By function name; these come first. Source: pkg/cel/library/cost.go, CallCost. */
const byFunction: ReadonlyMap<string, CostRule> = new Map([
  ...named("check", authorizationCheck),
  ...named(
    "serviceAccount path group resource subresource namespace name allowed reason error",
    one,
  ),
  ...named("errored masked prefixLength family isUnspecified isLoopback", one),
  ...named("isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign", one),
  ...named("asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo", one),
  ...named("add sub major minor patch getScheme getHostname getHost getPort", one),
  ...named("getEscapedPath getQuery", one),
  ...named("fieldSelector labelSelector", selector),
  ...named("isSorted sum max min indexOf lastIndexOf", traverseElements),
  ...named("url lowerAscii upperAscii substring trim jsonpatch.escapeKey", traverseFirst),
  ...named("cidr isIP isCIDR ip quantity isQuantity semver isSemver", traverseFirst),
  ...named("replace split ip.isCanonical", traverseFirstTwice),
  [
    "join",
    { kind: "after", units: (result) => Math.ceil(sizeForCost(result) * 2 * traversalFactor) },
  ],
  ...named("find findAll", matchCost),
  ["containsIP", containsIp(false)],
  ["containsCIDR", containsCidr(false)],
  ["_==_", equality],
]);

/** By overload id. Source: cel-go interpreter/runtimecost.go, and cost.go where ids differ. */
const byOverload: ReadonlyMap<string, CostRule> = new Map([
  ["cidr_ip", one],
  ["cidr_contains_ip_string", containsIp(true)],
  ["cidr_contains_cidr_string", containsCidr(true)],
  ...named("starts_with_string ends_with_string string_to_bytes bytes_to_string", traverseFirst),
  ...named("strings_quote string_format", traverseFirst),
  ["in_list", before(([, list]) => sizeInOptional(list))],
  ...named("less_string greater_string less_equals_string greater_equals_string", smallerOperand),
  ...named("less_bytes greater_bytes less_equals_bytes greater_equals_bytes", smallerOperand),
  ...named("not_equals", smallerOperand),
  ...named("add_string add_bytes", bothOperands),
  ["matches_string", matchCost],
  ["contains_string", containment],
]);

const overloadsBeforeFunctions: ReadonlySet<string> = new Set([
  "cidr_ip",
  "cidr_contains_ip_string",
  "cidr_contains_cidr_string",
]);

/**
 * The charge for a call. `overloadId` is empty when more than one overload may be meant; such calls
 * go by the function's name or cost 1.
 */
export function costRule(functionName: string, overloadId: string): CostRule {
  if (overloadsBeforeFunctions.has(overloadId)) return byOverload.get(overloadId) ?? one;
  return byFunction.get(functionName) ?? byOverload.get(overloadId) ?? one;
}

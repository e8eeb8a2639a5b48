import { goQuote } from "../field-error.ts";
import { floatText, goJson } from "../go-format.ts";
import { isJsonMap } from "../json-value.ts";
import { compareBytes } from "../maps.ts";

/**
 * One step of a field path, in the canonical text that `fieldsV1` uses as a key:
 *  - `f:name`: a member of a map or struct,
 *  - `k:{"containerPort":80,"protocol":"TCP"}`: the item of a list map with these keys, sorted,
 *  - `v:"x"`: an item of a set,
 *  - `i:0`: a position (only ever read, never written).
 * Equal elements have equal texts.
 * Source: sigs.k8s.io/structured-merge-diff fieldpath/{element,serialize-pe}.go.
 */
export type PathElement = string;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${goJson(value)}`;
}

/** `keys` in any order. */
export function keyElement(
  keys: readonly (readonly [name: string, value: unknown])[],
): PathElement {
  const sorted = keys.length < 2 ? keys : keys.toSorted(([a], [b]) => compareBytes(a, b));
  const members = sorted.map(([name, value]) => `${JSON.stringify(name)}:${goJson(value)}`);
  return `k:{${members.join(",")}}`;
}

export class PathElementError extends Error {
  override readonly name = "PathElementError";
}

/** The canonical form; undefined for an unknown type of element. Throws `PathElementError`. */
export function parsePathElement(text: string): PathElement | undefined {
  if (text.startsWith("f:")) return text;
  const known = canonical.get(text);
  if (known !== undefined) return known;
  const parsed = parseOther(text);
  if (parsed !== undefined) remember(text, parsed);
  return parsed;
}

const canonicalMax = 4096;
const canonical = new Map<string, PathElement>();

function remember(text: string, element: PathElement): void {
  if (canonical.size >= canonicalMax) canonical.clear();
  canonical.set(text, element);
}

function parseOther(text: string): PathElement | undefined {
  if (text.length < 2) throw new PathElementError("key must be 2 characters long:");
  if (text[1] !== ":") throw new PathElementError(`missing colon: ${text}`);
  switch (text[0]) {
    case "v":
      return valueElement(parseJson(text));
    case "k": {
      const keys = parseJson(text);
      if (!isJsonMap(keys)) throw new PathElementError(`expected an object: ${text}`);
      return keyElement(Object.entries(keys));
    }
    case "i":
      if (!/^[-+]?\d+$/.test(text.slice(2))) {
        const quoted = goQuote(text.slice(2));
        throw new PathElementError(`strconv.Atoi: parsing ${quoted}: invalid syntax`);
      }
      return `i:${Number(text.slice(2))}`;
    default:
      return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.slice(2));
  } catch (cause) {
    throw new PathElementError(`invalid JSON in path element: ${text}`, { cause });
  }
}

/** As conflicts and errors print a step: `.name`, `[name="c"]`, `[="x"]`, `[0]`. */
export function printPathElement(element: PathElement): string {
  const content = element.slice(2);
  switch (element[0]) {
    case "f":
      return `.${content}`;
    case "k": {
      const keys = Object.entries(JSON.parse(content) as Record<string, unknown>);
      return `[${keys.map(([name, value]) => `${name}=${printValue(value)}`).join(",")}]`;
    }
    case "v":
      return `[=${printValue(JSON.parse(content))}]`;
    default:
      return `[${content}]`;
  }
}

function printValue(value: unknown): string {
  if (typeof value === "string") return goQuote(value);
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : floatText(value);
  if (Array.isArray(value)) return `[${value.map(printValue).join(",")}]`;
  if (isJsonMap(value)) {
    return Object.entries(value)
      .map(([key, member]) => `${key}=${printValue(member)}`)
      .join("");
  }
  return String(value);
}

const typeOrder = "fkvi";

/** The order of `fieldsV1`: names, then keys, values and positions, each by content. */
export function comparePathElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0;
  const byType = typeOrder.indexOf(a[0] ?? "") - typeOrder.indexOf(b[0] ?? "");
  if (byType !== 0) return byType;
  if (a.startsWith("f:")) return compareBytes(a, b);
  if (a.startsWith("i:")) return Number(a.slice(2)) - Number(b.slice(2));
  const [x, y] = [JSON.parse(a.slice(2)) as unknown, JSON.parse(b.slice(2)) as unknown];
  return isJsonMap(x) && isJsonMap(y) ? compareKeys(x, y) : compareValues(x, y);
}

function compareKeys(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  for (const [index, [name, value]] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareBytes(name, other[0]) || compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

const kindOrder = ["number", "string", "boolean", "list", "map", "null"];

function compareValues(a: unknown, b: unknown): number {
  const [kindA, kindB] = [kindOf(a), kindOf(b)];
  if (kindA !== kindB) return kindOrder.indexOf(kindA) - kindOrder.indexOf(kindB);
  if (typeof a === "string") return compareBytes(a, b as string);
  if (kindA === "null") return 0;
  if (kindA === "list" || kindA === "map") return compareBytes(goJson(a), goJson(b));
  return Number(a) - Number(b);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "map" : typeof value;
}

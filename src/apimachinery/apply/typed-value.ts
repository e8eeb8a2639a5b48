import { goText } from "../go-format.ts";
import { isJsonMap, type JsonMap } from "../json-value.ts";
import { getOwn } from "../maps.ts";
import type { ApplyField, ApplyList, ApplyMap, ApplyNode, Shape } from "./apply-schema.ts";
import { fieldValue } from "./apply-schema.ts";
import { keyElement, type PathElement, printPathElement, valueElement } from "./path-element.ts";

/**
 * Values seen through a schema. Undefined is absence, null a value.
 * Source: sigs.k8s.io/structured-merge-diff typed/{helpers,validate}.go.
 */
export interface TypeFinding {
  /** `.spec.containers[name="c"]`. */
  readonly path: string;
  readonly message: string;
}

/** A value does not fit its schema; upstream prints one finding bare and several as a list. */
export class TypedValueError extends Error {
  override readonly name = "TypedValueError";
  readonly findings: readonly TypeFinding[];
  constructor(findings: readonly TypeFinding[]) {
    const texts = findings.map(({ path, message }) =>
      path === "" ? message : `${path}: ${message}`,
    );
    super(
      texts.length === 1 ? texts[0] : ["errors:", ...texts.map((text) => `  ${text}`)].join("\n"),
    );
    this.findings = findings;
  }
}

/** The shape by which a value is handled; a value of a wrong shape gets one that will refuse it. */
export function shapeOf(node: ApplyNode, value: unknown): Shape {
  if (node.only !== undefined) return node.only;
  const shape = naturalShape(value);
  if (shape !== undefined && node[shape] !== undefined) return shape;
  if (node.map !== undefined) return "map";
  return node.scalar === undefined ? "list" : "scalar";
}

function naturalShape(value: unknown): Shape | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "map" : "scalar";
}

export function memberNode(map: ApplyMap, key: string): ApplyNode | undefined {
  return map.fields.get(key)?.node ?? map.values;
}

/** A member as Go sees it. */
export function memberValue(map: ApplyMap, value: Readonly<JsonMap>, key: string): unknown {
  const raw = getOwn(value, key);
  const field = map.fields.get(key);
  return field === undefined ? raw : fieldValue(field, raw);
}

/** The members that Go sees, those that it writes unasked included. */
export function* membersOf(
  map: ApplyMap,
  value: Readonly<JsonMap>,
): Generator<[key: string, member: unknown, field: ApplyField | undefined]> {
  for (const key of Object.keys(value)) {
    const field = map.fields.get(key);
    const member = field === undefined ? value[key] : fieldValue(field, value[key]);
    if (member !== undefined) yield [key, member, field];
  }
  for (const [key, field] of map.written) {
    if (!Object.hasOwn(value, key)) yield [key, field.zero, field];
  }
}

export function isEmptyMap(map: ApplyMap, value: Readonly<JsonMap>): boolean {
  if (map.written.length > 0) return false;
  for (const key of Object.keys(value)) {
    if (memberValue(map, value, key) !== undefined) return false;
  }
  return true;
}

/** The items of an associative list by what identifies them. */
export interface ItemKey {
  /** Equal for items with equal keys; to be compared within one list type only. */
  readonly identity: unknown;
  readonly element: () => PathElement;
}

/** Throws a plain message, without path, when the item has no key. */
export function itemKey(list: ApplyList, item: unknown): ItemKey {
  if (list.keys.length === 0) return setItemKey(item);
  if (item === null || item === undefined) {
    throw new ItemKeyError("associative list with keys may not have a null element");
  }
  if (!isJsonMap(item)) {
    throw new ItemKeyError("associative list with keys may not have non-map elements");
  }
  const keys: [string, unknown][] = [];
  for (const name of list.keys) {
    const field = list.items.map?.fields.get(name);
    const raw = getOwn(item, name);
    const own = field === undefined ? raw : fieldValue(field, raw);
    const value = own === undefined ? field?.default : own;
    if (value !== undefined) keys.push([name, value]);
  }
  const [first] = keys;
  if (first === undefined) {
    const names = list.keys.map((name) => JSON.stringify(name)).join(" ");
    const why = "(and doesn't have default values for any key fields)";
    throw new ItemKeyError(
      `associative list with keys has an element that omits all key fields [${names}] ${why}`,
    );
  }
  const element = () => keyElement(keys);
  const simple = list.keys.length === 1 && typeof first[1] !== "object";
  return { identity: simple ? first[1] : element(), element };
}

export class ItemKeyError extends Error {
  override readonly name = "ItemKeyError";
}

function setItemKey(item: unknown): ItemKey {
  if (isJsonMap(item)) {
    throw new ItemKeyError("associative list without keys has an element that's a map type");
  }
  if (Array.isArray(item)) {
    throw new ItemKeyError("not supported: associative list with lists as elements");
  }
  if (item === null || item === undefined) {
    throw new ItemKeyError("associative list without keys has an element that's an explicit null");
  }
  return { identity: item, element: () => valueElement(item) };
}

/** `itemKey` for lists that are known to be well formed otherwise; the error tells the position. */
export function itemKeyAt(list: ApplyList, items: readonly unknown[], index: number): ItemKey {
  try {
    return itemKey(list, items[index]);
  } catch (error) {
    if (!(error instanceof ItemKeyError)) throw error;
    throw new TypedValueError([{ path: "", message: `element ${index}: ${error.message}` }]);
  }
}

/**
 * Checks `value` against its schema. Live objects may repeat the keys of items, configurations
 * may not. Throws `TypedValueError`.
 */
export function validateTyped(
  node: ApplyNode,
  value: unknown,
  duplicates: "allow" | "refuse" = "refuse",
): void {
  const findings: TypeFinding[] = [];
  validate({ node, value, path: "" }, findings);
  const wrong = findings.filter(({ message }) => duplicates === "refuse" || !isDuplicate(message));
  if (wrong.length > 0) throw new TypedValueError(wrong);
}

const duplicateMessage = "duplicate entries for key ";

function isDuplicate(message: string): boolean {
  return message.startsWith(duplicateMessage);
}

interface Place {
  readonly node: ApplyNode;
  readonly value: unknown;
  readonly path: string;
}

function validate({ node, value, path }: Place, findings: TypeFinding[]): void {
  if (value === null || value === undefined) return;
  const shape = shapeOf(node, value);
  if (shape === "scalar") {
    const message = scalarFinding(node.scalar ?? "untyped", value);
    if (message !== undefined) findings.push({ path, message });
  } else if (shape === "map" && node.map !== undefined) {
    if (isJsonMap(value)) validateMap(node.map, { value, path }, findings);
    else findings.push({ path, message: `expected map, got &{${goText(value)}}` });
  } else if (node.list !== undefined) {
    if (Array.isArray(value)) validateList(node.list, { value, path }, findings);
    else findings.push({ path, message: `expected list, got &{${goText(value)}}` });
  }
}

function scalarFinding(type: NonNullable<ApplyNode["scalar"]>, value: unknown): string | undefined {
  const own = typeof value;
  switch (type) {
    case "number":
      if (own === "number" || own === "bigint") return undefined;
      return `expected numeric (int or float), got ${goShortType(value)}`;
    case "string":
      if (own === "string") return undefined;
      return `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case "boolean":
      return own === "boolean" ? undefined : `expected boolean, got &{${goText(value)}}`;
    default:
      return own === "object" ? `expected any scalar, got &{${goText(value)}}` : undefined;
  }
}

function goShortType(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isJsonMap(value)) return "map[string]interface {}";
  return typeof value === "boolean" ? "bool" : "string";
}

/** Go's `%#v`. */
function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (isJsonMap(value)) {
    const members = Object.entries(value).map(([key, member]) => `"${key}":${goSyntax(member)}`);
    return `map[string]interface {}{${members.join(", ")}}`;
  }
  return goText(value);
}

function validateMap(
  map: ApplyMap,
  { value, path }: { value: JsonMap; path: string },
  findings: TypeFinding[],
): void {
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const node = memberNode(map, key);
    const memberPath = `${path}.${key}`;
    if (node === undefined) {
      findings.push({ path: memberPath, message: "field not declared in schema" });
      // Upstream stops here, too: what else is wrong in this map is not told.
      return;
    }
    validate({ node, value: member, path: memberPath }, findings);
  }
}

function validateList(
  list: ApplyList,
  { value, path }: { value: readonly unknown[]; path: string },
  findings: TypeFinding[],
): void {
  const seen = new Set<unknown>();
  for (const [index, item] of value.entries()) {
    let itemPath = `${path}[${index}]`;
    if (!list.atomic) {
      try {
        const { identity, element } = itemKey(list, item);
        const step = printPathElement(element());
        if (seen.has(identity)) {
          findings.push({ path, message: duplicateMessage + step });
        }
        seen.add(identity);
        itemPath = path + step;
      } catch (error) {
        if (!(error instanceof ItemKeyError)) throw error;
        findings.push({ path, message: `element ${index}: ${error.message}` });
        return;
      }
    }
    validate({ node: list.items, value: item, path: itemPath }, findings);
  }
}

/**
 * A Go object as JSON with everything that Go writes, zero structs and nulls included; other
 * objects as they are.
 */
export function writtenValue(node: ApplyNode, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = node.list?.items;
    return items === undefined ? value : value.map((item) => writtenValue(items, item));
  }
  const { map } = node;
  if (map === undefined || !isJsonMap(value)) return value;
  const members: [string, unknown][] = [];
  for (const [key, member, field] of membersOf(map, value)) {
    const inner = field?.node ?? map.values;
    members.push([key, inner === undefined ? member : writtenValue(inner, member)]);
  }
  return Object.fromEntries(members);
}

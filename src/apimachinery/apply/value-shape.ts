import { isGivenEmpty } from "../given-empty.ts";
import { getOwn } from "../maps.ts";
import type { ApplyList, ApplyNode } from "./apply-schema.ts";

/** Longer texts are not worth keeping. */
export const valueShapeMax = 8192;

/**
 * A text that is equal for values which set the same fields: names of members, keys of list items,
 * and for leaves no more than whether they are zero. Undefined when the text would be longer than
 * `valueShapeMax`, or a list item has no simple key.
 */
export function valueShape(node: ApplyNode, value: unknown): string | undefined {
  const text = shapeText(node, value);
  return text.length > valueShapeMax || text.includes(noShape) ? undefined : text;
}

/** Stands in no text: names are printed with their length, and bounded by it. */
const noShape = "\u0000";

function shapeText(node: ApplyNode | undefined, value: unknown): string {
  switch (typeof value) {
    case "string":
      return value === "" ? "e" : "s";
    case "object":
      if (value === null) return "n";
      return Array.isArray(value) ? listText(node?.list, value) : mapText(node, value as Readonly<Record<string, unknown>>);
    default:
      return value === 0 || value === 0n || value === false ? `${typeof value}0` : typeof value;
  }
}

function mapText(node: ApplyNode | undefined, value: Readonly<Record<string, unknown>>): string {
  const map = node?.map;
  let text = isGivenEmpty(value) ? "{+" : "{";
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined || map?.untracked?.has(key) === true) continue;
    text += `${key.length}:${key}${shapeText(map?.fields.get(key)?.node ?? map?.values, member)}`;
    if (text.length > valueShapeMax) return text;
  }
  return `${text}}`;
}

function listText(list: ApplyList | undefined, items: readonly unknown[]): string {
  let text = isGivenEmpty(items) ? "[+" : "[";
  for (const item of items) {
    if (list?.atomic === false) text += itemKeyText(list.keys, item);
    text += shapeText(list?.items, item);
    if (text.length > valueShapeMax) return text;
  }
  return `${text}]`;
}

/** What identifies an item: the item itself in a set. */
function itemKeyText(keys: readonly string[], item: unknown): string {
  if (keys.length === 0) return scalarText(item);
  if (typeof item !== "object" || item === null) return noShape;
  let text = "";
  for (const name of keys) {
    const value = getOwn(item as Readonly<Record<string, unknown>>, name);
    text += value === undefined ? "-" : scalarText(value);
  }
  return text;
}

function scalarText(value: unknown): string {
  if (typeof value === "object") return noShape;
  const text = String(value);
  return `${typeof value}${text.length}:${text}`;
}

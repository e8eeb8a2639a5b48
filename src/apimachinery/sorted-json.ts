import { isJsonMap, type JsonMap } from "./json-value.ts";
import { compareBytes, setOwn } from "./maps.ts";

/** The value with the members of all objects in Go's order; itself where they are. */
export function sortedJson<T>(value: T): T {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => sortedJson(item));
    return items.every((item, i) => item === value[i]) ? value : (items as T);
  }
  if (!isJsonMap(value)) return value;
  const names = Object.keys(value);
  const inOrder = names.every((name, i) => i === 0 || compareBytes(names[i - 1] ?? "", name) < 0);
  const members = names.map((name) => sortedJson(value[name]));
  if (inOrder && members.every((member, i) => member === value[names[i] ?? ""])) return value;
  const copy: JsonMap = {};
  for (const name of names.sort(compareBytes)) setOwn(copy, name, sortedJson(value[name]));
  return copy as T;
}

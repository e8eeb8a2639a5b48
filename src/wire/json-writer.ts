/** JSON text for what the native writer refuses or orders otherwise than Go. Iterative. */
import { compareBytes } from "#base/compare-bytes.ts";
import { JsonNumber } from "./json-token.ts";

/** Integer-like keys, which V8 puts first whatever the order of their making. */
const integerKey = /^(?:0|[1-9]\d{0,9})$/;

interface Level {
  readonly close: string;
  /** Undefined for arrays. */
  readonly keys: readonly string[] | undefined;
  readonly container: Readonly<Record<string, unknown>> | readonly unknown[];
  readonly length: number;
  next: number;
}

/**
 * As `JSON.stringify`, with bigints as integers, and the keys of an object that has an
 * integer-like one in Go's order.
 */
export function writeExactJson(root: unknown): string {
  const levels: Level[] = [];
  let text = "";

  function put(value: unknown): void {
    if (typeof value !== "object" || value === null || value instanceof JsonNumber) text += scalarText(value);
    else {
      const level = open(value);
      text += level.keys === undefined ? "[" : "{";
      levels.push(level);
    }
  }

  put(root);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    if (level.next === level.length) {
      text += level.close;
      levels.pop();
      continue;
    }
    const at = level.next++;
    if (at > 0) text += ",";
    if (level.keys === undefined) put((level.container as readonly unknown[])[at]);
    else {
      const key = level.keys[at] as string;
      text += `${JSON.stringify(key)}:`;
      put((level.container as Readonly<Record<string, unknown>>)[key]);
    }
  }
  return text;
}

function open(value: object): Level {
  if (Array.isArray(value)) {
    return { close: "]", keys: undefined, container: value, length: value.length, next: 0 };
  }
  const container = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(container).filter((key) => container[key] !== undefined);
  // Integer-like keys stand first: one look tells.
  if (integerKey.test(keys[0] ?? "")) keys.sort(compareBytes);
  return { close: "}", keys, container, length: keys.length, next: 0 };
}

function scalarText(value: unknown): string {
  return typeof value === "bigint" ? value.toString() : (JSON.stringify(value) ?? "null");
}

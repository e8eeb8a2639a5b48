import { goText, goTypeName } from "./go-format.ts";
import { isJsonMap, type JsonMap } from "./json-value.ts";
import { getOwn } from "./maps.ts";

/**
 * What a strategic merge patch asks for is wrong. Code 400 answers BadRequest with the message, 422
 * the generic text of an unprocessable request, 500 a plain error with the message.
 */
export class StrategicMergeError extends Error {
  override readonly name = "StrategicMergeError";
  readonly code: 400 | 422 | 500;
  constructor(code: 400 | 422 | 500, message: string) {
    super(message);
    this.code = code;
  }
}

export interface MergeList {
  /** Member that identifies items; empty for lists of scalars. */
  readonly mergeKey: string;
}

export interface ListOrder extends MergeList {
  /** The order that was asked for. */
  readonly order: readonly unknown[];
  /** The order of the live list. */
  readonly serverOrder: readonly unknown[];
}

/**
 * Items that `order` names, in that order, and among them the others in the order of the server:
 * each before the first item that follows it in the live list.
 */
export function orderLike<T>(list: readonly T[], { order, serverOrder, mergeKey }: ListOrder): T[] {
  const asked = positionsIn(order, mergeKey);
  const server = positionsIn(serverOrder, mergeKey);
  const named: T[] = [];
  const others: T[] = [];
  for (const item of list) {
    (asked.has(identify(item, mergeKey)) ? named : others).push(item);
  }
  const right = sortByPosition(named, asked, mergeKey);
  const left = sortByPosition(others, server, mergeKey);
  return interleave(left, right, (item) => server.get(identify(item, mergeKey)));
}

function interleave<T>(
  left: readonly T[],
  right: readonly T[],
  positionOf: (item: T) => number | undefined,
): T[] {
  const merged: T[] = [];
  let next = 0;
  for (const item of right) {
    const position = positionOf(item);
    while (next < left.length && position !== undefined) {
      const waiting = left[next] as T;
      const own = positionOf(waiting);
      if (own === undefined || own >= position) break;
      merged.push(waiting);
      next++;
    }
    merged.push(item);
  }
  return [...merged, ...left.slice(next)];
}

function positionsIn(list: readonly unknown[], mergeKey: string): Map<unknown, number> {
  const positions = new Map<unknown, number>();
  for (const [index, item] of list.entries()) {
    const identity = identify(item, mergeKey);
    if (!positions.has(identity)) positions.set(identity, index);
  }
  return positions;
}

function sortByPosition<T>(
  list: readonly T[],
  positions: ReadonlyMap<unknown, number>,
  mergeKey: string,
): T[] {
  // Items without a place can only be scalars that the patch repeats; they stay in front.
  const place = (item: T) => positions.get(identify(item, mergeKey)) ?? -1;
  return list.toSorted((a, b) => place(a) - place(b));
}

function identify(item: unknown, mergeKey: string): unknown {
  if (mergeKey === "") return item;
  if (!isJsonMap(item)) throw badArgType({}, item);
  const identity = getOwn(item, mergeKey);
  if (identity === undefined) throw noMergeKey(item, mergeKey);
  return identity;
}

/** The type that all elements have. Throws when they differ, or there are none, or are lists. */
export function sameElementTypes(...lists: (readonly unknown[])[]): "map" | "scalar" {
  let type: string | undefined;
  for (const item of lists.flat(1)) {
    const own = goTypeName(item);
    type ??= own;
    if (type === "[]interface {}") {
      throw new StrategicMergeError(422, "lists of lists are not supported");
    }
    if (own !== type) {
      const text = `list element types are not identical: ${goText(lists)}`;
      throw new StrategicMergeError(500, text);
    }
  }
  if (type === undefined) {
    throw new StrategicMergeError(500, "no elements in any of the given slices");
  }
  return type === "map[string]interface {}" ? "map" : "scalar";
}

export function noMergeKey(item: Readonly<JsonMap>, mergeKey: string): StrategicMergeError {
  const text = `map: ${goText(item)} does not contain declared merge key: ${mergeKey}`;
  return new StrategicMergeError(500, text);
}

export function badArgType(expected: unknown, actual: unknown): StrategicMergeError {
  const received = actual === null ? "%!s(<nil>)" : goTypeName(actual);
  return new StrategicMergeError(
    500,
    `expected a ${goTypeName(expected)}, but received a ${received}`,
  );
}

import { absorbed, type Evaluate, type Frame } from "./frame.ts";
import {
  ArrayList,
  CelError,
  CelList,
  CelMap,
  CelOpaque,
  typeOf,
  ValueMap,
  type CelValue,
} from "./value.ts";

export interface LoopSlots {
  readonly accu: number;
  readonly first: number;
  /** Negative: there is one variable only. */
  readonly second: number;
}

export interface LoopParts {
  readonly range: Evaluate;
  /** Absent when the loop always runs to its end. */
  readonly condition: Evaluate | undefined;
  readonly step: Evaluate;
  readonly result: Evaluate;
  /** The range is a literal empty list: `cel.bind`. */
  readonly isEmpty: boolean;
}

/** An empty list or map that the loop may extend in place. */
export function growingValue(value: CelValue): CelValue {
  if (value instanceof CelList && value.size === 0) return new ArrayList([], true);
  if (value instanceof CelMap && value.size === 0) {
    const map = new ValueMap();
    map.mutable = true;
    return map;
  }
  return value;
}

function finished(value: CelValue): CelValue {
  if (value instanceof ArrayList || value instanceof ValueMap) value.mutable = false;
  return value;
}

/**
 * Runs a comprehension. Steps that fail leave their error in the accumulator; the next may cure it.
 */
export function foldLoop(slots: LoopSlots, parts: LoopParts): Evaluate {
  const { range, result, isEmpty } = parts;
  return (frame) => {
    frame.locals[slots.accu] = undefined;
    if (!isEmpty) {
      const over = range(frame);
      // The range may hold this same loop's slots, when it is nested in one.
      frame.locals[slots.accu] = undefined;
      if (over instanceof CelList) foldList(frame, over, { slots, parts });
      else if (over instanceof CelMap) foldMap(frame, over, { slots, parts });
      else throw new CelError(`got '${goTypeName(over)}', expected iterable type`);
    }
    return finished(result(frame));
  };
}

/** What Go calls the type that stands for a CEL type. */
function goTypeName(value: CelValue): string {
  const { kind, name } = typeOf(value);
  const word = (value instanceof CelOpaque ? name : kind).split(".").at(-1) ?? "";
  return `${value instanceof CelOpaque ? "cel" : "types"}.${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

type Loop = { readonly slots: LoopSlots; readonly parts: LoopParts };

function foldList(frame: Frame, list: CelList, loop: Loop): void {
  const { first, second } = loop.slots;
  const { size } = list;
  for (let i = 0; i < size; i++) {
    if (second < 0) frame.locals[first] = list.at(i);
    else {
      frame.locals[first] = BigInt(i);
      frame.locals[second] = list.at(i);
    }
    if (!iterate(frame, loop)) return;
  }
}

function foldMap(frame: Frame, map: CelMap, loop: Loop): void {
  const { first, second } = loop.slots;
  for (const key of map.keys()) {
    frame.locals[first] = key;
    if (second >= 0) frame.locals[second] = map.get(key) ?? null;
    if (!iterate(frame, loop)) return;
  }
}

/** Returns whether to go on. */
function iterate(frame: Frame, { slots, parts: { condition, step } }: Loop): boolean {
  frame.iterate();
  if (condition !== undefined && !continues(frame, condition)) return false;
  try {
    frame.locals[slots.accu] = step(frame);
  } catch (thrown) {
    frame.locals[slots.accu] = absorbed(thrown);
  }
  return true;
}

function continues(frame: Frame, condition: Evaluate): boolean {
  try {
    return condition(frame) !== false;
  } catch (thrown) {
    absorbed(thrown);
    return true;
  }
}

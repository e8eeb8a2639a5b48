import { absorbed, type Evaluate } from "./frame.ts";
import { CelError } from "./value.ts";
import type { CelValue } from "./value.ts";

export function noSuchOverload(): CelError {
  return new CelError("no such overload");
}

export function boolOrFail(value: CelValue): boolean {
  if (typeof value === "boolean") return value;
  throw noSuchOverload();
}

/**
 * `a && b` (`decisive` false) or `a || b` (`decisive` true). Either side may decide alone, then an
 * error of the other is forgotten.
 */
export function logicalOperator(decisive: boolean, left: Evaluate, right: Evaluate): Evaluate {
  return (frame) => {
    let failure: CelError | undefined;
    try {
      const value = left(frame);
      if (value === decisive) return decisive;
      if (typeof value !== "boolean") failure = noSuchOverload();
    } catch (thrown) {
      failure = absorbed(thrown);
    }
    try {
      const value = right(frame);
      if (value === decisive) return decisive;
      if (typeof value !== "boolean") failure ??= noSuchOverload();
    } catch (thrown) {
      failure ??= absorbed(thrown);
    }
    if (failure !== undefined) throw failure;
    return !decisive;
  };
}

/** False only if the operand is false; errors count as true. Keeps loops going. */
export function notStrictlyFalse(operand: Evaluate): Evaluate {
  return (frame) => {
    let value: CelValue;
    try {
      value = operand(frame);
    } catch (thrown) {
      absorbed(thrown);
      value = true;
    }
    frame.cost += 1;
    return value !== false;
  };
}

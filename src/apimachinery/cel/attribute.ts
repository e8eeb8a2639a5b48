import type { Evaluate, Frame } from "./frame.ts";
import { isPresent, select, selectIfPresent } from "./select.ts";
import { boolOrFail } from "./logic.ts";
import { CelOptional, optionalNone, type CelValue } from "./value.ts";

/**
 * A planned expression. cel-go evaluates variables with the selections behind them as one unit, an
 * attribute, and its costs follow from that; so attributes are kept apart until they are complete.
 */
export type Plan = ConstantPlan | ComputedPlan | AttributePlan | ConditionalPlan;

/** Known before evaluation; costs nothing. */
export interface ConstantPlan {
  readonly kind: "constant";
  readonly value: CelValue;
}

export interface ComputedPlan {
  readonly kind: "computed";
  readonly evaluate: Evaluate;
}

/** A base and the selections applied to it. */
export interface AttributePlan {
  readonly kind: "attribute";
  readonly base: Evaluate;
  /** What the attribute costs when it is evaluated, beside its selections. */
  readonly ownCost: 0 | 1;
  readonly qualifiers: readonly Qualifier[];
}

/** `c ? a : b`; selections behind it apply to either branch. */
export interface ConditionalPlan {
  readonly kind: "conditional";
  readonly condition: Evaluate;
  readonly truthy: Plan;
  readonly falsy: Plan;
}

export interface Qualifier {
  /** A constant, or an expression (whose own access is not charged). */
  readonly key: CelValue | Evaluate;
  /** Written `.?` or `[?`. */
  readonly optional: boolean;
  /** `has()`: yields whether it is there. */
  readonly testOnly: boolean;
}

/** The plan with one more selection behind it. */
export function qualify(plan: Plan, qualifier: Qualifier): Plan {
  switch (plan.kind) {
    case "attribute": {
      const ownCost = qualifier.testOnly ? 0 : plan.ownCost;
      return { ...plan, ownCost, qualifiers: [...plan.qualifiers, qualifier] };
    }
    case "conditional":
      return {
        ...plan,
        truthy: qualify(plan.truthy, qualifier),
        falsy: qualify(plan.falsy, qualifier),
      };
    default: {
      const ownCost = qualifier.testOnly ? 0 : 1;
      return { kind: "attribute", base: evaluator(plan), ownCost, qualifiers: [qualifier] };
    }
  }
}

/** Evaluates a plan in full. */
export function evaluator(plan: Plan): Evaluate {
  switch (plan.kind) {
    case "constant": {
      const { value } = plan;
      return () => value;
    }
    case "computed":
      return plan.evaluate;
    case "conditional":
      return resolver(plan);
    case "attribute": {
      const resolve = resolver(plan);
      if (plan.ownCost === 0) return resolve;
      return (frame) => {
        frame.cost += 1;
        return resolve(frame);
      };
    }
  }
}

/** Evaluates a plan without what an attribute itself costs: for branches, indices and such. */
export function resolver(plan: Plan): Evaluate {
  if (plan.kind === "conditional") {
    const { condition } = plan;
    const truthy = resolver(plan.truthy);
    const falsy = resolver(plan.falsy);
    return (frame) => (boolOrFail(condition(frame)) ? truthy(frame) : falsy(frame));
  }
  if (plan.kind !== "attribute") return evaluator(plan);
  if (plan.qualifiers.length === 0) return plan.base;
  if (plan.qualifiers.some((qualifier) => qualifier.optional)) return optionalResolver(plan);
  return plan.qualifiers.reduce(plainResolver, plan.base);
}

/** Applies one selection; an optional operand makes an optional result. */
function plainResolver(operand: Evaluate, qualifier: Qualifier): Evaluate {
  const { key, testOnly } = qualifier;
  if (testOnly && typeof key === "string") {
    return (frame) => {
      const value = operand(frame);
      if (value === optionalNone) return false;
      frame.cost += 1;
      return isPresent(value, key);
    };
  }
  if (typeof key === "function") {
    return (frame) => {
      const value = operand(frame);
      if (value instanceof CelOptional) return applyOptional(frame, value, [qualifier]);
      const selected = select(value, key(frame));
      frame.cost += 1;
      return selected;
    };
  }
  return (frame) => {
    const value = operand(frame);
    if (value instanceof CelOptional) return applyOptional(frame, value, [qualifier]);
    frame.cost += 1;
    return select(value, key);
  };
}

function optionalResolver({ base, qualifiers }: AttributePlan): Evaluate {
  return (frame) => applyOptional(frame, base(frame), qualifiers);
}

/** From the first optional selection on, what is missing makes the whole `optional.none()`. */
function applyOptional(frame: Frame, base: CelValue, qualifiers: readonly Qualifier[]): CelValue {
  let isOptional = base instanceof CelOptional;
  let value: CelValue | undefined = base instanceof CelOptional ? base.value : base;
  if (value === undefined) {
    return qualifiers.at(-1)?.testOnly === true ? false : optionalNone;
  }
  for (const { key, optional, testOnly } of qualifiers) {
    isOptional ||= optional;
    const selector = typeof key === "function" ? key(frame) : key;
    if (testOnly && typeof selector === "string") {
      frame.cost += 1;
      return isPresent(value, selector);
    }
    if (isOptional) {
      const found = selectIfPresent(value, selector);
      if (found === undefined) {
        return qualifiers.at(-1)?.testOnly === true ? false : optionalNone;
      }
      frame.cost += 1;
      value = found;
    } else {
      frame.cost += 1;
      value = select(value, selector);
    }
  }
  if (!isOptional) return value;
  return new CelOptional(value);
}

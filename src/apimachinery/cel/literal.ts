import { evaluator, type Plan } from "./attribute.ts";
import type { ListExpr, StructExpr } from "./ast.ts";
import { cost } from "./cost-runtime.ts";
import { absorbed, Frame, unlimited, type Evaluate } from "./frame.ts";
import { showKey } from "./select.ts";
import type { CelType } from "./types.ts";
import { ArrayList, CelError, CelOptional, ValueMap, type CelValue } from "./value.ts";

const none: unique symbol = Symbol("no element");

/** The value of an element written `?e`, or `none`. */
function optionalElement(value: CelValue, where: () => string): CelValue | typeof none {
  if (!(value instanceof CelOptional)) throw new CelError(where());
  return value.value === undefined ? none : value.value;
}

/** `[a, ?b]`. A list of constants is itself one and costs nothing. */
export function planList(
  expr: ListExpr,
  { elements: plans, fold }: { elements: readonly Plan[]; fold: boolean },
): Plan {
  const elements = plans.map(evaluator);
  const optional = elements.map((_, i) => expr.optionals.has(i));
  const build: Evaluate = (frame) => {
    const values: CelValue[] = [];
    for (let i = 0; i < elements.length; i++) {
      const value = elements[i]?.(frame) ?? null;
      if (optional[i] !== true) {
        values.push(value);
        continue;
      }
      const held = optionalElement(
        value,
        () => "cannot initialize optional list element from non-optional value",
      );
      if (held !== none) values.push(held);
    }
    return new ArrayList(values);
  };
  return planLiteral(build, { parts: fold ? plans : undefined, units: cost.list });
}

export interface PlannedEntry {
  readonly key: Plan;
  readonly value: Plan;
  readonly optional: boolean;
}

/** `{k: v, ?k2: v2}`. A key given twice keeps the last value. */
export function planMap(entries: readonly PlannedEntry[], fold: boolean): Plan {
  const evaluated = entries.map(({ key, value, optional }) => {
    return { key: evaluator(key), value: evaluator(value), optional };
  });
  const build: Evaluate = (frame) => {
    const map = new ValueMap();
    for (const entry of evaluated) {
      const key = entry.key(frame);
      const value = entry.value(frame);
      const held = entry.optional
        ? optionalElement(value, () => optionalEntryMessage(showKey(key)))
        : value;
      if (held !== none) map.set(key, held);
    }
    return map;
  };
  const plans = entries.flatMap(({ key, value }) => [key, value]);
  return planLiteral(build, { parts: fold ? plans : undefined, units: cost.map });
}

function optionalEntryMessage(key: string): string {
  return `cannot initialize optional entry '${key}' from non-optional value`;
}

function planLiteral(
  build: Evaluate,
  { parts, units }: { parts: readonly Plan[] | undefined; units: number },
): Plan {
  if (parts?.every((part) => part.kind === "constant") === true) return constantLiteral(build);
  return {
    kind: "computed",
    evaluate: (frame) => {
      const value = build(frame);
      frame.cost += units;
      return value;
    },
  };
}

function constantLiteral(build: Evaluate): Plan {
  try {
    return { kind: "constant", value: build(new Frame([], {}, unlimited)) };
  } catch (thrown) {
    // A wrong entry is an error of evaluation.
    const failure = absorbed(thrown);
    return {
      kind: "computed",
      evaluate() {
        throw failure;
      },
    };
  }
}

/** `Type{field: value}`. */
export function planStruct(
  expr: StructExpr,
  { type, values }: { type: CelType; values: readonly Plan[] },
): Plan {
  const construct = type.structure?.construct;
  if (construct === undefined) throw new CelError(`unknown type: ${expr.typeName}`);
  const evaluated = values.map(evaluator);
  return {
    kind: "computed",
    evaluate: (frame) => {
      const fields = new Map<string, CelValue>();
      expr.fields.forEach(({ name, optional }, i) => {
        const value = evaluated[i]?.(frame) ?? null;
        const held = optional ? optionalElement(value, () => optionalEntryMessage(name)) : value;
        if (held !== none) fields.set(name, held);
      });
      frame.cost += cost.struct;
      return construct(fields);
    },
  };
}

import { regexpError } from "../regexp.ts";
import { evaluator, type Plan } from "./attribute.ts";
import type { Expr } from "./ast.ts";
import { costRule, patternWeightCost, type CostRule } from "./cost-runtime.ts";
import { isSelfChecked, type Implementation, type Overload } from "./declaration.ts";
import { membership } from "./equality.ts";
import { absorbed, type Evaluate, type Frame } from "./frame.ts";
import { dynType, isDyn, type CelType } from "./types.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  typeOf,
  type CelValue,
} from "./value.ts";

/** A call whose name is resolved; a receiver is the first argument. */
export interface PlannedCall {
  readonly name: string;
  readonly overloads: readonly Overload[];
  readonly args: readonly Expr[];
  readonly checked: boolean;
}

const conversions: ReadonlySet<string> = new Set([
  "bool",
  "bytes",
  "double",
  "duration",
  "dyn",
  "int",
  "string",
  "timestamp",
  "type",
  "uint",
]);

/** Conversions of constants are done once, before evaluation. */
export function foldable(call: PlannedCall, args: readonly Plan[]): boolean {
  return conversions.has(call.name) && args.length === 1 && args[0]?.kind === "constant";
}

/** Functions whose second argument is a pattern; a constant one is compiled beforehand. */
const patternFunctions: ReadonlySet<string> = new Set(["matches", "find", "findAll"]);

function checkPattern(call: PlannedCall, [, pattern]: readonly Plan[]): void {
  if (pattern?.kind !== "constant" || typeof pattern.value !== "string") return;
  if (!patternFunctions.has(call.name)) return;
  const error = regexpError(pattern.value);
  if (error !== undefined) throw new CelError(error);
}

function withPatternWeight(rule: CostRule, call: PlannedCall, plans: readonly Plan[]): CostRule {
  if (!patternFunctions.has(call.name) || plans[1]?.kind === "constant") return rule;
  if (rule.kind !== "before") return rule;
  return { kind: "before", units: (args) => rule.units(args) + patternWeightCost(args[1]) };
}

/** Plans a call; throws `CelError` for a constant pattern that is wrong. */
export function compileCall(call: PlannedCall, plans: readonly Plan[]): Plan {
  checkPattern(call, plans);
  const only = call.checked && call.overloads.length === 1 ? call.overloads[0] : undefined;
  const membershipTest = only?.id === "in_list" ? compileMembership(plans) : undefined;
  if (membershipTest !== undefined) return membershipTest;
  const id = only?.id ?? equalityIds[call.name] ?? "";
  const invoke = dispatcher(call);
  const rule = withPatternWeight(only?.cost ?? costRule(call.name, id), call, plans);
  const args = plans.map(evaluator);
  return { kind: "computed", evaluate: charged(args, rule, invoke) };
}

const equalityIds: Readonly<Record<string, string>> = { "_==_": "equals", "_!=_": "not_equals" };

type Invoke = (args: readonly CelValue[]) => CelValue;

/**
 * Evaluates the arguments, charges, calls. One or two arguments are charged for even if they fail,
 * and the second is evaluated after the first failed; with more, the first failure is the last step.
 */
function charged(args: readonly Evaluate[], rule: CostRule, invoke: Invoke): Evaluate {
  const finish = finisher(rule, invoke);
  const [first, second] = args;
  if (first === undefined || args.length > 2) {
    return (frame) => {
      const values = args.map((arg) => arg(frame));
      return finish(frame, values, undefined);
    };
  }
  return (frame) => {
    let failure: CelError | undefined;
    const values: CelValue[] = [null];
    try {
      values[0] = first(frame);
    } catch (thrown) {
      failure = absorbed(thrown);
    }
    if (second === undefined) return finish(frame, values, failure);
    try {
      values.push(second(frame));
    } catch (thrown) {
      failure ??= absorbed(thrown);
      values.push(null);
    }
    return finish(frame, values, failure);
  };
}

type Finish = (
  frame: Frame,
  values: readonly CelValue[],
  failure: CelError | undefined,
) => CelValue;

/** What may be expensive is charged before it is done. */
function finisher(rule: CostRule, invoke: Invoke): Finish {
  const { kind, units } = rule;
  switch (kind) {
    case "fixed":
      return (frame, values, failure) => {
        frame.cost += units;
        if (failure !== undefined) throw failure;
        return invoke(values);
      };
    case "before":
      return (frame, values, failure) => {
        frame.charge(units(values));
        if (failure !== undefined) throw failure;
        return invoke(values);
      };
    case "after":
      return (frame, values, failure) => {
        const result = failure ?? invoke(values);
        frame.charge(units(result instanceof CelError ? null : result));
        if (result instanceof CelError) throw result;
        return result;
      };
  }
}

/** Finds the implementation for values whose types may only be known when they are there. */
function dispatcher(call: PlannedCall): Invoke {
  const candidates = call.overloads.flatMap((overload) => {
    const { implementation, args } = overload;
    if (implementation === undefined || args.length !== call.args.length) return [];
    return [{ run: callable(implementation), implementation, accepts: args.map(acceptor) }];
  });
  const [first] = candidates;
  if (first === undefined) {
    return (values) => {
      throw noSuchOverload(call.name, values);
    };
  }
  const shared = candidates.every(({ implementation }) => implementation === first.implementation);
  if (shared && isSelfChecked(first.implementation)) return (values) => first.run(...values);
  return (values) => {
    for (const { run, accepts } of candidates) {
      if (accepts.every((accept, i) => accept(values[i] ?? null))) return run(...values);
    }
    throw noSuchOverload(call.name, values);
  };
}

function callable(implementation: Implementation): (...args: CelValue[]) => CelValue {
  // Acceptors check the arguments against the declared types first.
  return implementation as (...args: CelValue[]) => CelValue;
}

function noSuchOverload(name: string, values: readonly CelValue[]): CelError {
  if (/^[_@!-]/.test(name)) return new CelError("no such overload");
  const types = values.map((value) => typeOf(value).name).join(", ");
  return new CelError(`no such overload: ${name}(${types})`);
}

type Accept = (value: CelValue) => boolean;

const acceptors: Readonly<Record<string, Accept>> = {
  bool: (value) => typeof value === "boolean",
  int: (value) => typeof value === "bigint",
  double: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  null: (value) => value === null,
  uint: (value) => value instanceof CelUint,
  bytes: (value) => value instanceof Uint8Array,
  timestamp: (value) => value instanceof CelTimestamp,
  duration: (value) => value instanceof CelDuration,
  type: (value) => value instanceof CelTypeValue,
};

function acceptor(type: CelType): Accept {
  if (isDyn(type) || type.kind === "param") return () => true;
  const [first = dynType, second = dynType] = type.params;
  if (type.kind === "list") {
    const element = acceptor(first);
    return (value) => value instanceof CelList && (value.size === 0 || element(value.at(0)));
  }
  if (type.kind === "map") return mapAcceptor(acceptor(first), acceptor(second));
  return acceptors[type.kind] ?? ((value) => typeOf(value).name === type.name);
}

/** As in cel-go, the first entry stands for all. */
function mapAcceptor(key: Accept, element: Accept): Accept {
  return (value) => {
    if (!(value instanceof CelMap)) return false;
    for (const first of value.keys()) return key(first) && element(value.get(first) ?? null);
    return true;
  };
}

/** `x in [constants]` is a lookup and costs what `x` costs. */
function compileMembership([needle, list]: readonly Plan[]): Plan | undefined {
  if (needle === undefined || list?.kind !== "constant") return undefined;
  if (!(list.value instanceof CelList)) return undefined;
  if (list.value.size === 0) return { kind: "constant", value: false };
  for (const element of list.value) if (!isHashable(element)) return undefined;
  const has = membership(list.value);
  const evaluate = evaluator(needle);
  return { kind: "computed", evaluate: (frame) => has(evaluate(frame)) };
}

function isHashable(value: CelValue): boolean {
  return value !== null && (typeof value !== "object" || value instanceof CelUint);
}

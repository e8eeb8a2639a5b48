import { accumulatorName, legacyAccumulatorName, type Expr } from "./ast.ts";
import type { TreeBuilder } from "./tree-builder.ts";

/** A call that is rewritten while parsing. */
export interface Macro {
  readonly name: string;
  readonly argCount: number | "any";
  /** Written `target.name(...)`. */
  readonly member: boolean;
  /** Returns undefined when the call is an ordinary one after all. */
  readonly expand: (call: MacroCall) => Expr | MacroError | undefined;
}

export interface MacroCall {
  readonly build: TreeBuilder;
  /** Where the call is; nodes the macro makes are placed there. */
  readonly offset: number;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

export interface MacroError {
  readonly kind: "error";
  readonly offset: number;
  readonly message: string;
}

function failure(at: Expr, message: string): MacroError {
  return { kind: "error", offset: at.offset, message };
}

function isError(value: unknown): value is MacroError {
  return typeof value === "object" && value !== null && "message" in value;
}

const missing: Expr = { kind: "unspecified", id: 0, offset: 0, depth: 0 };

function arg(call: MacroCall, index: number): Expr {
  return call.args[index] ?? missing;
}

function target(call: MacroCall): Expr {
  return call.target ?? missing;
}

/** Macros every CEL environment has. Source: cel-go parser/macro.go. */
export const standardMacros: readonly Macro[] = [
  { name: "has", argCount: 1, member: false, expand: expandHas },
  quantifier("all", 2),
  quantifier("exists", 2),
  quantifier("exists_one", 2),
  { name: "map", argCount: 2, member: true, expand: expandMap },
  { name: "map", argCount: 3, member: true, expand: expandMap },
  { name: "filter", argCount: 2, member: true, expand: expandFilter },
];

function expandHas(call: MacroCall): Expr | MacroError {
  const operand = arg(call, 0);
  if (operand.kind !== "select") return failure(operand, "invalid argument to has() macro");
  return call.build.presenceTest(call.offset, operand.operand, operand.field);
}

function simpleVariable(at: Expr, message: string): string | MacroError {
  if (at.kind !== "ident") return failure(at, message);
  if (at.name === accumulatorName || at.name === legacyAccumulatorName) {
    return failure(at, "iteration variable overwrites accumulator variable");
  }
  return at.name;
}

function quantifier(name: "all" | "exists" | "exists_one" | "existsOne", argCount: 2 | 3): Macro {
  return {
    name,
    argCount,
    member: true,
    expand(call) {
      const iterVar = simpleVariable(arg(call, 0), "argument must be a simple name");
      if (isError(iterVar)) return iterVar;
      const predicate = arg(call, argCount - 1);
      if (argCount === 2) return quantify(call, { name, predicate, iterVar });
      const variables = twoVariables(call);
      if (isError(variables)) return variables;
      return quantify(call, { name, predicate, ...variables });
    },
  };
}

interface Quantified {
  readonly name: string;
  readonly predicate: Expr;
  readonly iterVar: string;
  readonly iterVar2?: string;
}

function quantify(call: MacroCall, { name, predicate, ...variables }: Quantified): Expr {
  const { build, offset } = call;
  const accu = (): Expr => build.ident(offset, accumulatorName);
  const op = (operator: string, ...args: Expr[]): Expr => build.call(offset, operator, args);
  const shared = { iterRange: target(call), accuVar: accumulatorName, ...variables };
  if (name === "all") {
    return build.comprehension(offset, {
      ...shared,
      accuInit: build.literal(offset, true),
      condition: op("@not_strictly_false", accu()),
      step: op("_&&_", accu(), predicate),
      result: accu(),
    });
  }
  if (name === "exists") {
    return build.comprehension(offset, {
      ...shared,
      accuInit: build.literal(offset, false),
      condition: op("@not_strictly_false", op("!_", accu())),
      step: op("_||_", accu(), predicate),
      result: accu(),
    });
  }
  const increment = op("_+_", accu(), build.literal(offset, 1n));
  return build.comprehension(offset, {
    ...shared,
    accuInit: build.literal(offset, 0n),
    condition: build.literal(offset, true),
    step: op("_?_:_", predicate, increment, accu()),
    result: op("_==_", accu(), build.literal(offset, 1n)),
  });
}

function expandMap(call: MacroCall): Expr | MacroError {
  const iterVar = simpleVariable(arg(call, 0), "argument is not an identifier");
  if (isError(iterVar)) return iterVar;
  const hasFilter = call.args.length === 3;
  return collect(call, {
    iterVar,
    element: arg(call, hasFilter ? 2 : 1),
    ...(hasFilter && { filter: arg(call, 1) }),
  });
}

function expandFilter(call: MacroCall): Expr | MacroError {
  const iterVar = simpleVariable(arg(call, 0), "argument is not an identifier");
  if (isError(iterVar)) return iterVar;
  return collect(call, { iterVar, element: arg(call, 0), filter: arg(call, 1) });
}

interface Collected {
  readonly iterVar: string;
  readonly iterVar2?: string;
  readonly element: Expr;
  readonly filter?: Expr;
}

/** A list of `element`, one per entry that passes `filter`. */
function collect(call: MacroCall, { element, filter, ...variables }: Collected): Expr {
  const { build, offset } = call;
  const accu = (): Expr => build.ident(offset, accumulatorName);
  const append = build.call(offset, "_+_", [accu(), build.list(offset, [element])]);
  return build.comprehension(offset, {
    iterRange: target(call),
    accuVar: accumulatorName,
    ...variables,
    accuInit: build.list(offset, []),
    condition: build.literal(offset, true),
    step: onlyIf(call, { filter, step: append }),
    result: accu(),
  });
}

function onlyIf(call: MacroCall, parts: { filter: Expr | undefined; step: Expr }): Expr {
  if (parts.filter === undefined) return parts.step;
  const kept = call.build.ident(call.offset, accumulatorName);
  return call.build.call(call.offset, "_?_:_", [parts.filter, parts.step, kept]);
}

/**
 * Macros with two variables (index and element, key and value). Source: cel-go
 * ext/comprehensions.go.
 */
export const twoVariableMacros: readonly Macro[] = [
  quantifier("all", 3),
  quantifier("exists", 3),
  quantifier("existsOne", 3),
  quantifier("exists_one", 3),
  { name: "transformList", argCount: 3, member: true, expand: expandTransformList },
  { name: "transformList", argCount: 4, member: true, expand: expandTransformList },
  { name: "transformMap", argCount: 3, member: true, expand: expandTransformMap },
  { name: "transformMap", argCount: 4, member: true, expand: expandTransformMap },
  { name: "transformMapEntry", argCount: 3, member: true, expand: expandTransformMapEntry },
  { name: "transformMapEntry", argCount: 4, member: true, expand: expandTransformMapEntry },
];

function twoVariables(call: MacroCall): { iterVar: string; iterVar2: string } | MacroError {
  const [first, second] = [arg(call, 0), arg(call, 1)];
  if (first.kind !== "ident") return failure(first, "argument must be a simple name");
  if (second.kind !== "ident") return failure(second, "argument must be a simple name");
  if (first.name === second.name) {
    return failure(second, `duplicate variable name: ${first.name}`);
  }
  const iterVar = simpleVariable(first, "argument must be a simple name");
  if (isError(iterVar)) return iterVar;
  const iterVar2 = simpleVariable(second, "argument must be a simple name");
  return isError(iterVar2) ? iterVar2 : { iterVar, iterVar2 };
}

function expandTransformList(call: MacroCall): Expr | MacroError {
  const variables = twoVariables(call);
  if (isError(variables)) return variables;
  const hasFilter = call.args.length === 4;
  return collect(call, {
    ...variables,
    element: arg(call, hasFilter ? 3 : 2),
    ...(hasFilter && { filter: arg(call, 2) }),
  });
}

function expandTransformMap(call: MacroCall): Expr | MacroError {
  const variables = twoVariables(call);
  if (isError(variables)) return variables;
  const key = call.build.ident(call.offset, variables.iterVar);
  return collectMap(call, { ...variables, inserted: (value) => [key, value] });
}

function expandTransformMapEntry(call: MacroCall): Expr | MacroError {
  const variables = twoVariables(call);
  if (isError(variables)) return variables;
  return collectMap(call, { ...variables, inserted: (entry) => [entry] });
}

interface CollectedMap {
  readonly iterVar: string;
  readonly iterVar2: string;
  readonly inserted: (transform: Expr) => readonly Expr[];
}

function collectMap(call: MacroCall, { inserted, ...variables }: CollectedMap): Expr {
  const { build, offset } = call;
  const hasFilter = call.args.length === 4;
  const accu = (): Expr => build.ident(offset, accumulatorName);
  const args = [accu(), ...inserted(arg(call, hasFilter ? 3 : 2))];
  const insert = build.call(offset, "cel.@mapInsert", args);
  return build.comprehension(offset, {
    iterRange: target(call),
    accuVar: accumulatorName,
    ...variables,
    accuInit: build.map(offset, []),
    condition: build.literal(offset, true),
    step: onlyIf(call, { filter: hasFilter ? arg(call, 2) : undefined, step: insert }),
    result: accu(),
  });
}

/** `optMap` and `optFlatMap`. Source: cel-go cel/library.go. */
export const optionalMacros: readonly Macro[] = [
  { name: "optMap", argCount: 2, member: true, expand: expandOptMap },
  { name: "optFlatMap", argCount: 2, member: true, expand: expandOptFlatMap },
];

const unusedVariable = "#unused";

function expandOptMap(call: MacroCall): Expr | MacroError {
  const wrap = (value: Expr): Expr => call.build.call(call.offset, "optional.of", [value]);
  return mapOptional(call, { macro: "optMap", wrap });
}

function expandOptFlatMap(call: MacroCall): Expr | MacroError {
  return mapOptional(call, { macro: "optFlatMap", wrap: (value) => value });
}

interface OptionalMapping {
  readonly macro: string;
  readonly wrap: (value: Expr) => Expr;
}

function mapOptional(call: MacroCall, { macro, wrap }: OptionalMapping): Expr | MacroError {
  const { build, offset } = call;
  const variable = arg(call, 0);
  if (variable.kind !== "ident") {
    return failure(variable, `${macro}() variable name must be a simple identifier`);
  }
  const subject = target(call);
  const value = build.memberCall(offset, "value", { target: build.copy(subject), args: [] });
  const bound = bind(call, { name: variable.name, value, result: arg(call, 1) });
  return build.call(offset, "_?_:_", [
    build.memberCall(offset, "hasValue", { target: subject, args: [] }),
    wrap(bound),
    build.call(offset, "optional.none", []),
  ]);
}

function bind(call: MacroCall, parts: { name: string; value: Expr; result: Expr }): Expr {
  const { build, offset } = call;
  return build.comprehension(offset, {
    iterRange: build.list(offset, []),
    iterVar: unusedVariable,
    accuVar: parts.name,
    accuInit: parts.value,
    condition: build.literal(offset, false),
    step: build.ident(offset, parts.name),
    result: parts.result,
  });
}

/** `cel.bind(name, value, expression)`. Source: cel-go ext/bindings.go. */
export const bindMacros: readonly Macro[] = [
  {
    name: "bind",
    argCount: 3,
    member: true,
    expand(call) {
      if (call.target?.kind !== "ident" || call.target.name !== "cel") return undefined;
      const variable = arg(call, 0);
      if (variable.kind !== "ident") {
        return failure(variable, "cel.bind() variable names must be simple identifiers");
      }
      return bind(call, { name: variable.name, value: arg(call, 1), result: arg(call, 2) });
    },
  },
];

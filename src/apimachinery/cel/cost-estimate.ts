import {
  accumulatorName,
  legacyAccumulatorName,
  type Call,
  type Comprehension,
  type Expr,
  type ListExpr,
  type MapExpr,
  type Select,
} from "./ast.ts";
import type { Checked } from "./checker.ts";
import { cost } from "./cost-runtime.ts";
import { eitherSize, estimateCall } from "./estimate-functions.ts";
import {
  addRanges,
  fixedRange,
  multiplyRanges,
  unionRanges,
  unknownSize,
  unlimited,
  type EstimatedNode,
  type Range,
  type SizeAt,
} from "./estimate.ts";
import { schemaAt, type SchemaType } from "./schema.ts";
import { codePoints } from "./source.ts";
import { dynType, isOptional, type CelType } from "./types.ts";
import { CelUint } from "./value.ts";

/** Least and most cost of an evaluation; `unlimited` where sizes have no bound. */
export type CostEstimate = Range;

export { unlimited };

/** Sizes as the schemas of variables bound them. */
export function schemaSizes(schemaOf: (variable: string) => SchemaType | undefined): SizeAt {
  return ([variable, ...rest]) => {
    if (variable === undefined) return undefined;
    // As upstream, a path that starts at no variable (but at a type) is taken to start at `self`.
    const root = schemaOf(variable) ?? schemaOf("self");
    const found = root && schemaAt(root, rest);
    return found && { min: 0, max: found.elementsMax };
  };
}

/**
 * Estimates what evaluating can cost, from the sizes that schemas allow.
 * Source: cel-go checker/cost.go, with Kubernetes' functions.
 */
export function estimateCost(expr: Expr, checked: Checked, sizeAt: SizeAt): CostEstimate {
  return new Coster(checked, sizeAt).cost(expr);
}

/** Sizes of what a list or map holds. */
interface EntrySizes {
  readonly container: "list" | "map";
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
}

class Coster {
  readonly #checked: Checked;
  readonly #sizeAt: SizeAt;
  readonly #paths = new Map<number, readonly string[]>();
  readonly #sizes = new Map<number, Range>();
  readonly #entries = new Map<number, EntrySizes>();
  readonly #locals: { readonly name: string; readonly local: Local }[] = [];

  constructor(checked: Checked, sizeAt: SizeAt) {
    this.#checked = checked;
    this.#sizeAt = sizeAt;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case "ident":
        return this.#ident(expr.id, expr.name);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct": {
        const fields = expr.fields.map(({ value }) => this.cost(value));
        return addRanges(...fields, fixedRange(cost.struct));
      }
      case "comprehension":
        return isBind(expr) ? this.#bind(expr) : this.#comprehension(expr);
      default:
        return fixedRange(0);
    }
  }

  #typeOf(expr: Expr): CelType {
    return this.#checked.types.get(expr.id) ?? dynType;
  }

  #local(name: string): Local | undefined {
    return this.#locals.findLast((entry) => entry.name === name)?.local;
  }

  #ident(id: number, name: string): Range {
    this.#paths.set(id, this.#local(name)?.path ?? [name]);
    return fixedRange(cost.access);
  }

  #path(expr: Expr): readonly string[] {
    const local = expr.kind === "ident" ? this.#local(expr.name) : undefined;
    return local?.path ?? this.#paths.get(expr.id) ?? [];
  }

  #select(expr: Select): Range {
    const reference = this.#checked.references.get(expr.id);
    if (reference?.kind === "variable") return this.#ident(expr.id, reference.name);
    if (reference?.kind === "type") return this.#ident(expr.id, reference.type.name);
    const operand = this.cost(expr.operand);
    if (expr.testOnly) return operand;
    this.#paths.set(expr.id, [...this.#path(expr.operand), expr.field]);
    const { kind } = this.#typeOf(expr.operand);
    const isAccess = kind === "map" || kind === "object" || kind === "param";
    return isAccess ? addRanges(operand, fixedRange(cost.access)) : operand;
  }

  #call(expr: Call): Range {
    const [first] = expr.args;
    if (expr.name === "dyn" && first !== undefined) {
      const argument = this.cost(first);
      this.#copySizes(expr, first);
      return addRanges(argument, fixedRange(cost.call));
    }
    const reference = this.#checked.references.get(expr.id);
    const argCosts = expr.args.map((arg) => this.cost(arg));
    const args = expr.args.map((arg) => this.#node(arg));
    if (reference?.kind !== "function") return fixedRange(0);
    const receiver = reference.namespaced ? undefined : expr.target;
    const targetCost = receiver === undefined ? fixedRange(0) : this.cost(receiver);
    const target = receiver === undefined ? undefined : this.#node(receiver);
    let total: Range = { min: unlimited, max: 0 };
    let size: Range | undefined;
    for (const { id } of reference.overloads) {
      const estimate = this.#overload(expr, { id, name: reference.name, target, args, argCosts });
      total = unionRanges(total, estimate.cost);
      if (estimate.size !== undefined) {
        size = size === undefined ? estimate.size : unionRanges(size, estimate.size);
      }
      if (id === "index_list" || id === "index_map") size = this.#index(expr, id);
      size ??= this.#computeSize(expr);
    }
    if (size !== undefined) this.#sizes.set(expr.id, size);
    return addRanges(targetCost, total);
  }

  #index(expr: Call, id: "index_list" | "index_map"): Range | undefined {
    const [container] = expr.args;
    if (container === undefined) return undefined;
    const step = id === "index_list" ? "@items" : "@values";
    this.#paths.set(expr.id, [...this.#path(container), step]);
    return this.#entriesOf(container)?.value;
  }

  #overload(
    expr: Call,
    call: {
      id: string;
      name: string;
      target: EstimatedNode | undefined;
      args: readonly EstimatedNode[];
      argCosts: readonly Range[];
    },
  ): { cost: Range; size?: Range | undefined } {
    const { id, name, target, args, argCosts } = call;
    const [first = fixedRange(0), second = fixedRange(0), third = fixedRange(0)] = argCosts;
    if (id === "logical_or" || id === "logical_and") {
      return { cost: { min: first.min, max: addRanges(first, second).max } };
    }
    if (id === "conditional") {
      this.#joinEntries(expr, expr.args[1], expr.args[2]);
      const branches = unionRanges(second, third);
      return { cost: addRanges(first, branches), size: eitherSize(args[1], args[2]) };
    }
    if (id.startsWith("add_")) this.#joinEntries(expr, expr.args[0], expr.args[1]);
    const sizeAt = this.#sizeAt;
    const estimate = estimateCall({ name, overloadId: id, target, args, sizeAt });
    return { cost: addRanges(estimate.cost, ...argCosts), size: estimate.size };
  }

  #joinEntries(expr: Expr, a: Expr | undefined, b: Expr | undefined): void {
    const left = a && this.#entriesOf(a);
    const right = b && this.#entriesOf(b);
    if (left === undefined || right === undefined) return;
    this.#entries.set(expr.id, {
      container: left.container,
      key: unionRanges(left.key, right.key),
      value: unionRanges(left.value, right.value),
    });
  }

  #list(expr: ListExpr): Range {
    const costs = expr.elements.map((element) => this.cost(element));
    const value = this.#sizesOf(expr.elements);
    this.#entries.set(expr.id, { container: "list", key: fixedRange(1), value });
    return addRanges(...costs, fixedRange(cost.list));
  }

  #map(expr: MapExpr): Range {
    const costs = expr.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)]);
    const key = this.#sizesOf(expr.entries.map((entry) => entry.key));
    const value = this.#sizesOf(expr.entries.map((entry) => entry.value));
    this.#entries.set(expr.id, { container: "map", key, value });
    return addRanges(...costs, fixedRange(cost.map));
  }

  #sizesOf(parts: readonly Expr[]): Range {
    const none = { min: parts.length === 0 ? 0 : unlimited, max: 0 };
    return parts
      .map((part) => this.#computeSize(part) ?? unknownSize)
      .reduce((sizes, size) => unionRanges(sizes, size), none);
  }

  #comprehension(expr: Comprehension): Range {
    const rangeCost = this.cost(expr.iterRange);
    const initCost = this.cost(expr.accuInit);
    this.#pushValue(expr.accuVar, expr.accuInit);
    const variables = this.#pushIteration(expr);
    const conditionCost = this.cost(expr.condition);
    const stepCost = this.cost(expr.step);
    // Sizes of variables count as long as these are in scope.
    const stepEntries = this.#entriesOf(expr.step);
    this.#locals.length -= variables;
    const resultCost = this.cost(expr.result);
    this.#locals.pop();
    const count = this.#computeSize(expr.iterRange) ?? unknownSize;
    const loopCost = multiplyRanges(count, addRanges(stepCost, conditionCost));
    this.#setResultSize(expr, { count, stepEntries });
    return addRanges(rangeCost, initCost, resultCost, loopCost);
  }

  #setResultSize(
    expr: Comprehension,
    { count, stepEntries }: { count: Range; stepEntries: EntrySizes | undefined },
  ): void {
    if (expr.accuInit.kind === "literal") {
      const size = this.#computeSize(expr.accuInit);
      if (size !== undefined) this.#sizes.set(expr.id, size);
    } else if (expr.accuInit.kind === "list" || expr.accuInit.kind === "map") {
      this.#sizes.set(expr.id, count);
      if (stepEntries !== undefined) this.#entries.set(expr.id, stepEntries);
    }
  }

  #pushValue(name: string, expr: Expr): void {
    const local = {
      path: this.#path(expr),
      size: this.#computeSize(expr),
      entries: this.#entriesOf(expr),
    };
    this.#locals.push({ name, local });
  }

  /** Declares the loop's variables; returns how many. */
  #pushIteration({ iterRange, iterVar, iterVar2 }: Comprehension): number {
    const entries = this.#entriesOf(iterRange);
    const container = entries?.container ?? this.#typeOf(iterRange).kind;
    const path = this.#path(iterRange);
    const push = (name: string, step: string, size: Range | undefined): void => {
      this.#locals.push({ name, local: { path: [...path, step], size, entries: undefined } });
    };
    const isList = container === "list";
    if (iterVar2 === "") {
      push(iterVar, isList ? "@items" : "@keys", isList ? entries?.value : entries?.key);
      return 1;
    }
    push(iterVar, isList ? "@indices" : "@keys", entries?.key);
    push(iterVar2, isList ? "@items" : "@values", entries?.value);
    return 2;
  }

  #bind(expr: Comprehension): Range {
    const rangeCost = this.cost(expr.iterRange);
    const initCost = this.cost(expr.accuInit);
    this.#pushValue(expr.accuVar, expr.accuInit);
    const resultCost = this.cost(expr.result);
    this.#copySizes(expr, expr.result);
    this.#locals.pop();
    return addRanges(rangeCost, initCost, resultCost);
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#computeSize(from);
    if (size !== undefined) this.#sizes.set(to.id, size);
    const entries = this.#entriesOf(from);
    if (entries !== undefined) this.#entries.set(to.id, entries);
  }

  #entriesOf(expr: Expr): EntrySizes | undefined {
    const known = this.#entries.get(expr.id);
    if (known !== undefined || expr.kind !== "ident") return known;
    return this.#local(expr.name)?.entries;
  }

  #node(expr: Expr): EstimatedNode {
    const path = this.#path(expr);
    const [root] = path;
    const isAccumulator = root === accumulatorName || root === legacyAccumulatorName;
    const size = this.#computeSize(expr);
    return { path: isAccumulator ? [] : path, type: this.#typeOf(expr), expr, size };
  }

  #computeSize(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr.id) ?? literalSize(expr);
    if (known !== undefined) return known;
    const bySchema = this.#sizeAt(this.#path(expr), this.#typeOf(expr));
    if (bySchema !== undefined) {
      this.#sizes.set(expr.id, bySchema);
      return bySchema;
    }
    if (isScalar(this.#typeOf(expr))) return fixedRange(1);
    return expr.kind === "ident" ? this.#local(expr.name)?.size : undefined;
  }
}

function isBind({ iterRange, condition, accuVar }: Comprehension): boolean {
  const isEmpty = iterRange.kind === "list" && iterRange.elements.length === 0;
  const never = condition.kind === "literal" && condition.value === false;
  return isEmpty && never && accuVar !== legacyAccumulatorName;
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === "list") return fixedRange(expr.elements.length);
  if (expr.kind === "map") return fixedRange(expr.entries.length);
  if (expr.kind !== "literal") return undefined;
  const { value } = expr;
  if (typeof value === "string") return fixedRange(codePoints(value));
  if (value instanceof Uint8Array) return fixedRange(value.length);
  if (value === null || typeof value !== "object" || value instanceof CelUint) return fixedRange(1);
  return undefined;
}

const scalarKinds: ReadonlySet<string> = new Set([
  "bool",
  "double",
  "duration",
  "int",
  "timestamp",
  "uint",
]);

/** Values of these types all have size 1. */
function isScalar(type: CelType): boolean {
  if (isOptional(type)) return isScalar(type.params[0] ?? dynType);
  return scalarKinds.has(type.kind);
}

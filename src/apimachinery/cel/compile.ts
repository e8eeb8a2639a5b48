import { evaluator, qualify, resolver, type Plan } from "./attribute.ts";
import {
  accumulatorName,
  qualifiedName,
  type Call,
  type Comprehension,
  type Expr,
  type Ident,
  type Select,
} from "./ast.ts";
import { compileCall, foldable, type PlannedCall } from "./call.ts";
import { candidateNames, type Checked, type Reference, type Scope } from "./checker.ts";
import { cost } from "./cost-runtime.ts";
import { foldLoop, growingValue } from "./fold.ts";
import { Frame, unlimited, type Evaluate, type Variable } from "./frame.ts";
import type { Adapter } from "./json-value.ts";
import { planList, planMap, planStruct } from "./literal.ts";
import { logicalOperator, notStrictlyFalse } from "./logic.ts";
import { CelError, CelOptional, CelTypeValue, type CelValue } from "./value.ts";

/** An expression turned into closures. */
export interface Compiled {
  readonly evaluate: Evaluate;
  readonly variables: readonly Variable[];
}

export interface CompileContext {
  readonly scope: Scope;
  /** Undefined: the tree was not checked; names and overloads are found while running. */
  readonly checked: Checked | undefined;
  readonly adapterFor: (variable: string) => Adapter;
  /** Evaluates constant parts beforehand, which makes them free. @default true */
  readonly fold?: boolean;
}

/** Compiles a tree; throws `CelError` when a constant part of it cannot be evaluated. */
export function compile(expr: Expr, context: CompileContext): Compiled {
  const compiler = new Compiler(context);
  const plan = compiler.plan(expr);
  return compiler.finish(evaluator(plan));
}

class Compiler {
  readonly #context: CompileContext;
  readonly #fold: boolean;
  readonly #variables: Variable[] = [];
  readonly #slotsOfVariables = new Map<string, number>();
  /** Loop variables, innermost last. */
  readonly #locals: { readonly name: string; readonly read: Evaluate }[] = [];
  #localCount = 0;

  constructor(context: CompileContext) {
    this.#context = context;
    this.#fold = context.fold !== false;
  }

  finish(evaluate: Evaluate): Compiled {
    return { evaluate, variables: this.#variables };
  }

  plan(expr: Expr): Plan {
    switch (expr.kind) {
      case "literal":
        return { kind: "constant", value: expr.value };
      case "ident":
        return this.#ident(expr);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return planList(expr, {
          elements: expr.elements.map((element) => this.plan(element)),
          fold: this.#fold,
        });
      case "map":
        return planMap(
          expr.entries.map((entry) => ({
            key: this.plan(entry.key),
            value: this.plan(entry.value),
            optional: entry.optional,
          })),
          this.#fold,
        );
      case "struct": {
        const type = this.#structType(expr.id, expr.typeName);
        const values = expr.fields.map((field) => this.plan(field.value));
        return planStruct(expr, { type, values });
      }
      case "comprehension":
        return this.#comprehension(expr);
      case "unspecified":
        throw new CelError("unspecified expression");
    }
  }

  #reference(id: number): Reference | undefined {
    return this.#context.checked?.references.get(id);
  }

  #structType(id: number, name: string) {
    const reference = this.#reference(id);
    if (reference?.kind === "type") return reference.type;
    for (const candidate of candidateNames(this.#context.scope.container, name)) {
      const type = this.#context.scope.typeNamed(candidate);
      if (type !== undefined) return type;
    }
    throw new CelError(`unknown type: ${name}`);
  }

  #local(name: string): Evaluate | undefined {
    for (let i = this.#locals.length - 1; i >= 0; i--) {
      const local = this.#locals[i];
      if (local?.name === name) return local.read;
    }
    return undefined;
  }

  #ident(expr: Ident): Plan {
    const local = this.#local(expr.name);
    if (local !== undefined) return attribute(local);
    const reference = this.#reference(expr.id);
    if (reference === undefined) return this.#unchecked(expr.name);
    return this.#resolved(reference);
  }

  #resolved(reference: Reference): Plan {
    if (reference.kind === "type") {
      return { kind: "constant", value: new CelTypeValue(reference.type) };
    }
    return attribute(this.#variable(reference.name));
  }

  #variable(name: string): Evaluate {
    let slot = this.#slotsOfVariables.get(name);
    if (slot === undefined) {
      slot = this.#variables.length;
      this.#variables.push({ name, adapt: this.#context.adapterFor(name) });
      this.#slotsOfVariables.set(name, slot);
    }
    const at = slot;
    return (frame) => {
      const value = frame.globals[at];
      return value === undefined ? frame.load(at) : value;
    };
  }

  /** A name in a tree that was not checked: a type, or whatever is bound. */
  #unchecked(name: string): Plan {
    const names = candidateNames(this.#context.scope.container, name);
    for (const candidate of names) {
      if (this.#context.scope.variable(candidate) !== undefined) {
        return attribute(this.#variable(candidate));
      }
      const type = this.#context.scope.typeNamed(candidate);
      if (type !== undefined) return { kind: "constant", value: new CelTypeValue(type) };
    }
    return attribute((frame) => {
      const value = frame.findAny(names);
      if (value !== undefined) return value;
      throw new CelError(`no such attribute(s): ${names.join(", ")}`);
    });
  }

  #select(expr: Select): Plan {
    const reference = this.#reference(expr.id);
    if (reference !== undefined) return this.#resolved(reference);
    const qualifier = { key: expr.field, optional: false, testOnly: expr.testOnly };
    const name = this.#context.checked === undefined ? qualifiedName(expr) : undefined;
    if (name !== undefined && this.#local(name.split(".")[0] ?? "") === undefined) {
      return this.#maybeQualified(name, () => qualify(this.plan(expr.operand), qualifier));
    }
    return qualify(this.plan(expr.operand), qualifier);
  }

  /** `a.b` in a tree that was not checked: the variable `a.b` if there is one. */
  #maybeQualified(name: string, otherwise: () => Plan): Plan {
    const { scope } = this.#context;
    const names = candidateNames(scope.container, name);
    const type = names.map(scope.typeNamed).find((found) => found !== undefined);
    if (type !== undefined) return { kind: "constant", value: new CelTypeValue(type) };
    const plan = otherwise();
    const fallback = resolver(plan);
    return attribute((frame) => frame.findAny(names) ?? fallback(frame));
  }

  #call(expr: Call): Plan {
    const call = this.#resolveCall(expr);
    const args = call.args.map((arg) => this.plan(arg));
    const [first, second, third] = args;
    switch (call.name) {
      case "_&&_":
      case "_||_":
        if (first === undefined || second === undefined) break;
        return computed(logicalOperator(call.name === "_||_", evaluator(first), evaluator(second)));
      case "_?_:_":
        if (first === undefined || second === undefined || third === undefined) break;
        return {
          kind: "conditional",
          condition: evaluator(first),
          truthy: second,
          falsy: third,
        };
      case "_[_]":
      case "_[?_]":
      case "_?._":
        if (first === undefined || second === undefined) break;
        return qualify(first, {
          key: second.kind === "constant" ? second.value : resolver(second),
          optional: call.name !== "_[_]",
          testOnly: false,
        });
      case "@not_strictly_false":
        if (first === undefined) break;
        return computed(notStrictlyFalse(evaluator(first)));
      case "or":
      case "orValue":
        if (first === undefined || second === undefined || !isOptionalCall(call)) break;
        return computed(orElse(call.name, evaluator(first), evaluator(second)));
    }
    const compiled = compileCall(call, args);
    return this.#fold && foldable(call, args) ? constantOf(compiled) : compiled;
  }

  #resolveCall(expr: Call): PlannedCall {
    const reference = this.#reference(expr.id);
    if (reference?.kind === "function") {
      const { name, overloads, namespaced } = reference;
      const args =
        expr.target === undefined || namespaced ? expr.args : [expr.target, ...expr.args];
      return { name, overloads, args, checked: true };
    }
    return this.#uncheckedCall(expr);
  }

  #uncheckedCall({ name, target, args }: Call): PlannedCall {
    const { scope } = this.#context;
    const named = (wanted: string): PlannedCall | undefined => {
      for (const candidate of candidateNames(scope.container, wanted)) {
        const found = scope.functionNamed(candidate);
        if (found === undefined) continue;
        return { name: found.name, overloads: found.overloads, args, checked: false };
      }
      return undefined;
    };
    if (target === undefined) return named(name) ?? { name, overloads: [], args, checked: false };
    const prefix = qualifiedName(target);
    const namespaced = prefix === undefined ? undefined : named(`${prefix}.${name}`);
    if (namespaced !== undefined) return namespaced;
    const overloads = named(name)?.overloads.filter((overload) => overload.member) ?? [];
    return { name, overloads, args: [target, ...args], checked: false };
  }

  #comprehension(expr: Comprehension): Plan {
    const range = evaluator(this.plan(expr.iterRange));
    const init = evaluator(this.plan(expr.accuInit));
    const growing = expr.accuVar === accumulatorName;
    const accu = this.#declare(expr.accuVar, (slot) => readAccumulator(slot, init, growing));
    const first = this.#declare(expr.iterVar, readSlot);
    const second = expr.iterVar2 === "" ? -1 : this.#declare(expr.iterVar2, readSlot);
    const condition = evaluator(this.plan(expr.condition));
    const step = evaluator(this.plan(expr.step));
    this.#locals.length -= second < 0 ? 1 : 2;
    const result = evaluator(this.plan(expr.result));
    this.#locals.pop();
    const alwaysTrue = expr.condition.kind === "literal" && expr.condition.value === true;
    const isEmpty = expr.iterRange.kind === "list" && expr.iterRange.elements.length === 0;
    const slots = { accu, first, second };
    const parts = { range, condition: alwaysTrue ? undefined : condition, step, result, isEmpty };
    return computed(foldLoop(slots, parts));
  }

  #declare(name: string, read: (slot: number) => Evaluate): number {
    const slot = this.#localCount++;
    this.#locals.push({ name, read: read(slot) });
    return slot;
  }
}

function readSlot(slot: number): Evaluate {
  return (frame) => frame.locals[slot] as CelValue; // The loop sets it before its body runs.
}

/** An accumulator starts when it is first read, which a loop over nothing never does. */
function readAccumulator(slot: number, init: Evaluate, growing: boolean): Evaluate {
  return (frame) => {
    let value = frame.locals[slot];
    if (value === undefined) {
      value = growing ? growingValue(init(frame)) : init(frame);
      frame.locals[slot] = value;
    }
    if (value instanceof CelError) throw value;
    return value;
  };
}

function attribute(base: Evaluate): Plan {
  return { kind: "attribute", base, ownCost: cost.access, qualifiers: [] };
}

function computed(evaluate: Evaluate): Plan {
  return { kind: "computed", evaluate };
}

/** Evaluates now what no variable can change. */
function constantOf(plan: Plan): Plan {
  return { kind: "constant", value: evaluator(plan)(new Frame([], {}, unlimited)) };
}

function isOptionalCall(call: PlannedCall): boolean {
  return !call.checked || call.overloads.some((overload) => overload.id.startsWith("optional_or"));
}

/** `a.or(b)` and `a.orValue(b)`; `b` is evaluated only if needed. Neither costs anything itself. */
function orElse(name: "or" | "orValue", left: Evaluate, right: Evaluate): Evaluate {
  return (frame) => {
    const value = left(frame);
    if (!(value instanceof CelOptional)) throw new CelError("no such overload");
    if (value.value === undefined) return right(frame);
    return name === "or" ? value : value.value;
  };
}

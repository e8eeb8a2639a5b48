import {
  qualifiedName,
  type Call,
  type Comprehension,
  type Expr,
  type ListExpr,
  type MapExpr,
  type Select,
  type StructExpr,
} from "./ast.ts";
import type { FunctionDeclaration, Overload } from "./declaration.ts";
import type { Issue } from "./source.ts";
import {
  boolType,
  dynType,
  errorType,
  formatType,
  intType,
  isDyn,
  isOptional,
  listType,
  mapType,
  optionalType,
  paramType,
  sameType,
  typeOfType,
  unwrapOptional,
  type CelType,
} from "./types.ts";
import { assignAll, mostGeneral, substitute, type Substitutions } from "./unify.ts";
import { typeOf } from "./value.ts";

/** What names mean. Functions and types are looked up by their full names. */
export interface Scope {
  /** Prefix tried before names, e.g. `a.b`; usually empty. */
  readonly container: string;
  readonly variable: (name: string) => CelType | undefined;
  readonly typeNamed: (name: string) => CelType | undefined;
  readonly functionNamed: (name: string) => FunctionDeclaration | undefined;
}

/** What a name or call was resolved to. */
export type Reference =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "type"; readonly type: CelType }
  | {
      readonly kind: "function";
      readonly name: string;
      readonly overloads: readonly Overload[];
      /** The written target is part of the name: `optional.of(x)`. */
      readonly namespaced: boolean;
    };

export interface Checked {
  /** By node id; no type parameters are left. */
  readonly types: ReadonlyMap<number, CelType>;
  readonly references: ReadonlyMap<number, Reference>;
  readonly issues: readonly Issue[];
}

/** Finds the type of every node. Issues carry cel-go's texts. Source: cel-go checker/checker.go. */
export function check(expr: Expr, scope: Scope): Checked {
  const checker = new Checker(scope);
  checker.check(expr);
  return checker.result();
}

/** Full names that `name` may mean inside `container`, nearest first. */
export function candidateNames(container: string, name: string): string[] {
  if (name.startsWith(".")) return [name.slice(1)];
  const names: string[] = [];
  for (let prefix = container; prefix !== "";) {
    names.push(`${prefix}.${name}`);
    const dot = prefix.lastIndexOf(".");
    prefix = dot === -1 ? "" : prefix.slice(0, dot);
  }
  names.push(name);
  return names;
}

class Checker {
  readonly #scope: Scope;
  readonly #types = new Map<number, CelType>();
  readonly #references = new Map<number, Reference>();
  readonly #issues: Issue[] = [];
  readonly #locals: Map<string, CelType>[] = [];
  #known: Substitutions = new Map();
  #freeTypes = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  result(): Checked {
    for (const [id, type] of this.#types) this.#types.set(id, substitute(this.#known, type, "dyn"));
    return { types: this.#types, references: this.#references, issues: this.#issues };
  }

  check(expr: Expr): CelType {
    const type = this.#typeOf(expr);
    this.#types.set(expr.id, type);
    return type;
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case "literal":
        return typeOf(expr.value);
      case "ident":
        return this.#ident(expr);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      case "comprehension":
        return this.#comprehension(expr);
      case "unspecified":
        return errorType;
    }
  }

  #issue(offset: number, message: string): CelType {
    this.#issues.push({ offset, message });
    return errorType;
  }

  #undeclared(offset: number, name: string): CelType {
    const { container } = this.#scope;
    return this.#issue(offset, `undeclared reference to '${name}' (in container '${container}')`);
  }

  #mismatch(at: Expr, expected: CelType, found: CelType): CelType {
    const shown = substitute(this.#known, found);
    const wanted = substitute(this.#known, expected);
    return this.#issue(at.offset, `expected type '${formatType(wanted)}' but found '${formatType(shown)}'`);
  }

  #local(name: string): CelType | undefined {
    for (let i = this.#locals.length - 1; i >= 0; i--) {
      const type = this.#locals[i]?.get(name);
      if (type !== undefined) return type;
    }
    return undefined;
  }

  #ident(expr: Expr & { kind: "ident" }): CelType {
    const local = this.#local(expr.name);
    if (local !== undefined) {
      this.#references.set(expr.id, { kind: "variable", name: expr.name });
      return local;
    }
    return this.#global(expr.id, expr.name) ?? this.#undeclared(expr.offset, expr.name);
  }

  /** Resolves a name outside loops: a variable, or a type. */
  #global(id: number, name: string): CelType | undefined {
    for (const candidate of candidateNames(this.#scope.container, name)) {
      const variable = this.#scope.variable(candidate);
      if (variable !== undefined) {
        this.#references.set(id, { kind: "variable", name: candidate });
        return variable;
      }
      const type = this.#scope.typeNamed(candidate);
      if (type !== undefined) {
        this.#references.set(id, { kind: "type", type });
        return typeOfType(type);
      }
    }
    return undefined;
  }

  #select(expr: Select): CelType {
    const name = qualifiedName(expr);
    if (name !== undefined && this.#local(name.slice(0, name.indexOf("."))) === undefined) {
      const type = this.#global(expr.id, name);
      if (type !== undefined) return type;
    }
    const type = this.#field(expr, { operand: expr.operand, field: expr.field, optional: false });
    return expr.testOnly ? boolType : substitute(this.#known, type);
  }

  #field(expr: Expr, access: { operand: Expr; field: string; optional: boolean }): CelType {
    const operandType = substitute(this.#known, this.check(access.operand));
    const target = unwrapOptional(operandType);
    const type = this.#fieldOf(expr, target, access.field);
    return access.optional || isOptional(operandType) ? optionalType(type) : type;
  }

  #fieldOf(expr: Expr, target: CelType, field: string): CelType {
    switch (target.kind) {
      case "map":
        return target.params[1] ?? dynType;
      case "object":
        return target.structure?.field(field) ?? this.#issue(expr.offset, `undefined field '${field}'`);
      case "param":
        this.#assign(dynType, target);
        return dynType;
      case "dyn":
      case "any":
      case "error":
        return dynType;
      default:
        this.#issue(expr.offset, `type '${formatType(target)}' does not support field selection`);
        return dynType;
    }
  }

  #call(expr: Call): CelType {
    if (expr.name === "_?._") return this.#optionalSelect(expr);
    for (const arg of expr.args) this.check(arg);
    if (expr.target === undefined) {
      const found = this.#functionNamed(expr.name);
      if (found === undefined) return this.#undeclared(expr.offset, expr.name);
      return this.#resolve(expr, { found, namespaced: false });
    }
    const prefix = qualifiedName(expr.target);
    if (prefix !== undefined) {
      const found = this.#functionNamed(`${prefix}.${expr.name}`);
      if (found !== undefined) return this.#resolve(expr, { found, namespaced: true });
    }
    const target = this.check(expr.target);
    const found = this.#functionNamed(expr.name);
    if (found === undefined) return this.#undeclared(expr.offset, expr.name);
    return this.#resolve(expr, { found, namespaced: false, target });
  }

  #functionNamed(name: string): FunctionDeclaration | undefined {
    for (const candidate of candidateNames(this.#scope.container, name)) {
      const found = this.#scope.functionNamed(candidate);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #optionalSelect(expr: Call): CelType {
    const [operand, field] = expr.args;
    if (operand === undefined || field?.kind !== "literal" || typeof field.value !== "string") {
      return this.#issue(expr.offset, "unsupported optional field selection");
    }
    this.check(field);
    const type = this.#field(expr, { operand, field: field.value, optional: true });
    const overloads = this.#functionNamed("_?._")?.overloads ?? [];
    this.#references.set(expr.id, {
      kind: "function",
      name: "_?._",
      overloads,
      namespaced: false,
    });
    return substitute(this.#known, type);
  }

  #resolve(
    expr: Call,
    { found, namespaced, target }: { found: FunctionDeclaration; namespaced: boolean; target?: CelType },
  ): CelType {
    if (found.name === "_&&_" || found.name === "_||_") return this.#logical(expr, found);
    const args = expr.args.map((arg) => this.#types.get(arg.id) ?? dynType);
    const argTypes = target === undefined ? args : [target, ...args];
    const matching: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of found.overloads) {
      if (overload.member !== (target !== undefined)) continue;
      const fresh = this.#instantiate(overload);
      const known = assignAll(this.#known, argTypes, fresh.args);
      if (known === undefined) continue;
      this.#known = known;
      matching.push(overload);
      const overloadResult = substitute(known, fresh.result);
      if (result === undefined) result = overloadResult;
      else if (!isDyn(result) && !sameType(result, overloadResult)) result = dynType;
    }
    if (result === undefined) return this.#noOverload(expr, found.name, { argTypes, target });
    const reference = {
      kind: "function",
      name: found.name,
      overloads: matching,
      namespaced,
    } as const;
    this.#references.set(expr.id, reference);
    return result;
  }

  #noOverload(
    expr: Call,
    name: string,
    { argTypes, target }: { argTypes: readonly CelType[]; target: CelType | undefined },
  ): CelType {
    const shown = argTypes.map((type) => formatType(substitute(this.#known, type, "dyn")));
    const receiver = target === undefined ? "" : `${shown.shift()}.`;
    const signature = `${receiver}(${shown.join(", ")})`;
    return this.#issue(expr.offset, `found no matching overload for '${name}' applied to '${signature}'`);
  }

  #logical(expr: Call, found: FunctionDeclaration): CelType {
    const wrong = expr.args.filter((arg) => {
      const type = this.#types.get(arg.id) ?? dynType;
      const fits = this.#assign(type, boolType);
      if (!fits) this.#mismatch(arg, boolType, type);
      return !fits;
    });
    if (wrong.length > 0) return errorType;
    const { name, overloads } = found;
    this.#references.set(expr.id, { kind: "function", name, overloads, namespaced: false });
    return boolType;
  }

  #instantiate(overload: Overload): { args: readonly CelType[]; result: CelType } {
    if (overload.typeParams.length === 0) return overload;
    const fresh = new Map(overload.typeParams.map((name) => [name, this.#freeType()]));
    return {
      args: overload.args.map((type) => substitute(fresh, type)),
      result: substitute(fresh, overload.result),
    };
  }

  #freeType(): CelType {
    return paramType(`_var${this.#freeTypes++}`);
  }

  #assign(from: CelType, to: CelType): boolean {
    const known = assignAll(this.#known, [from], [to]);
    if (known === undefined) return false;
    this.#known = known;
    return true;
  }

  /** The type of elements of both types; mixed ones are dynamic. */
  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    return this.#assign(previous, current) ? mostGeneral(previous, current) : dynType;
  }

  /** The type inside an element written `?e`. */
  #optionalValue(at: Expr, type: CelType): CelType {
    if (!isOptional(type) && !isDyn(type)) this.#mismatch(at, optionalType(type), type);
    return unwrapOptional(type);
  }

  #list(expr: ListExpr): CelType {
    let element: CelType | undefined;
    expr.elements.forEach((item, i) => {
      const type = this.check(item);
      const value = expr.optionals.has(i) ? this.#optionalValue(item, type) : type;
      element = this.#join(element, value);
    });
    return listType(element ?? this.#freeType());
  }

  #map(expr: MapExpr): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of expr.entries) {
      key = this.#join(key, this.check(entry.key));
      const type = this.check(entry.value);
      const held = entry.optional ? this.#optionalValue(entry.value, type) : type;
      value = this.#join(value, held);
    }
    return mapType(key ?? this.#freeType(), value ?? this.#freeType());
  }

  #struct(expr: StructExpr): CelType {
    const type = this.#structType(expr);
    if (type === undefined) return this.#undeclared(expr.offset, expr.typeName);
    for (const field of expr.fields) {
      const given = this.check(field.value);
      const value = field.optional ? this.#optionalValue(field.value, given) : given;
      if (type.kind === "error") continue;
      const declared = type.structure?.field(field.name);
      if (declared === undefined) {
        this.#issue(field.offset, `undefined field '${field.name}'`);
      } else if (!this.#assign(declared, value)) {
        this.#issue(
          field.offset,
          `expected type of field '${field.name}' is '${formatType(declared)}' but provided type is '${formatType(substitute(this.#known, value))}'`,
        );
      }
    }
    return type;
  }

  #structType(expr: StructExpr): CelType | undefined {
    for (const candidate of candidateNames(this.#scope.container, expr.typeName)) {
      const type = this.#scope.typeNamed(candidate);
      if (type === undefined) continue;
      if (type.kind !== "object") {
        return this.#issue(expr.offset, `'${type.name}' is not a message type`);
      }
      this.#references.set(expr.id, { kind: "type", type });
      return type;
    }
    return undefined;
  }

  #comprehension(expr: Comprehension): CelType {
    this.check(expr.iterRange);
    const accu = this.check(expr.accuInit);
    const range = substitute(this.#known, this.#types.get(expr.iterRange.id) ?? dynType);
    const [first, second] = this.#iterationTypes(expr, range);
    this.#locals.push(new Map([[expr.accuVar, accu]]));
    const inner = new Map([[expr.iterVar, first]]);
    if (expr.iterVar2 !== "") inner.set(expr.iterVar2, second);
    this.#locals.push(inner);
    this.#mustBe(expr.condition, boolType);
    this.#mustBe(expr.step, accu);
    this.#locals.pop();
    const result = this.check(expr.result);
    this.#locals.pop();
    return substitute(this.#known, result);
  }

  #mustBe(expr: Expr, wanted: CelType): void {
    const found = this.check(expr);
    if (!this.#assign(wanted, found)) this.#mismatch(expr, wanted, found);
  }

  /** Types of the one or two loop variables. */
  #iterationTypes(expr: Comprehension, range: CelType): [CelType, CelType] {
    const [first = dynType, second = dynType] = range.params;
    const twoVariables = expr.iterVar2 !== "";
    switch (range.kind) {
      case "list":
        return twoVariables ? [intType, first] : [first, dynType];
      case "map":
        return [first, second];
      case "dyn":
      case "any":
      case "error":
      case "param":
        this.#assign(dynType, range);
        return [dynType, dynType];
      default: {
        const message = `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        this.#issue(expr.iterRange.offset, message);
        return [errorType, errorType];
      }
    }
  }
}

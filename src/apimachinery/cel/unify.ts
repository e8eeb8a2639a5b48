import {
  dynType,
  isDyn,
  listType,
  mapType,
  sameType,
  typeOfType,
  type CelType,
  type TypeKind,
} from "./types.ts";

/** What type parameters stand for, by name. Source of the rules: cel-go checker/types.go. */
export type Substitutions = ReadonlyMap<string, CelType>;

type Mutable = Map<string, CelType>;

/** The substitutions that make each of `from` assignable to the one of `to`, or undefined. */
export function assignAll(
  known: Substitutions,
  from: readonly CelType[],
  to: readonly CelType[],
): Substitutions | undefined {
  const substitutions = new Map(known);
  return assignableLists(substitutions, from, to) ? substitutions : undefined;
}

function assignableLists(
  known: Mutable,
  from: readonly CelType[],
  to: readonly CelType[],
): boolean {
  if (from.length !== to.length) return false;
  return from.every((type, i) => assignable(known, type, to[i] ?? dynType));
}

function assignable(known: Mutable, a: CelType, b: CelType): boolean {
  if (b.kind === "param") {
    const outcome = substitutable(known, a, b);
    if (outcome !== "open") return outcome === "yes";
  }
  if (a.kind === "param") return substitutable(known, b, a) === "yes";
  if (isDyn(a) || isDyn(b) || a.kind === "error" || b.kind === "error") return true;
  if (a.kind === "null") return isNullable(b);
  if (b.kind === "null") return isNullable(a);
  switch (a.kind) {
    case "type":
      return b.kind === "type";
    case "opaque":
    case "list":
    case "map":
      return a.kind === b.kind && a.name === b.name && assignableLists(known, a.params, b.params);
    default:
      return a.kind === b.kind && a.name === b.name;
  }
}

const nullableKinds: ReadonlySet<TypeKind> = new Set([
  "null",
  "opaque",
  "object",
  "any",
  "duration",
  "timestamp",
]);

function isNullable(type: CelType): boolean {
  return type.nullable === true || nullableKinds.has(type.kind);
}

/** Whether parameter `param` may stand for `type`; `open`: no, and it stands for nothing yet. */
function substitutable(known: Mutable, type: CelType, param: CelType): "yes" | "no" | "open" {
  if (sameType(type, param)) return "yes";
  const current = known.get(param.name);
  if (current !== undefined) {
    if (sameType(type, current)) return "yes";
    if (!assignable(known, type, current)) return "no";
    const general = mostGeneral(type, current);
    if (!occursIn(known, param, general)) known.set(param.name, general);
    return "yes";
  }
  if (occursIn(known, param, type)) return "open";
  known.set(param.name, type);
  return "yes";
}

function occursIn(known: Substitutions, param: CelType, within: CelType): boolean {
  if (sameType(param, within)) return true;
  if (within.kind === "param") {
    const current = known.get(within.name);
    return current !== undefined && occursIn(known, param, current);
  }
  return within.params.some((inner) => occursIn(known, param, inner));
}

/** Of two types that unify, the one that says less. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return isLessSpecific(a, b) ? a : b;
}

function isLessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (isDyn(b) || b.kind === "param") return false;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "opaque":
    case "list":
    case "map":
      return (
        a.name === b.name &&
        a.params.length === b.params.length &&
        a.params.every((param, i) => isLessSpecific(param, b.params[i] ?? dynType))
      );
    case "type":
      return true;
    default:
      return sameType(a, b);
  }
}

/** Puts in what parameters stand for; `unbound: "dyn"` turns the rest into dyn. */
export function substitute(
  known: Substitutions,
  type: CelType,
  unbound: "keep" | "dyn" = "keep",
): CelType {
  if (type.kind === "param") {
    const current = known.get(type.name);
    if (current !== undefined) return substitute(known, current, unbound);
    return unbound === "dyn" ? dynType : type;
  }
  if (type.params.length === 0) return type;
  const params = type.params.map((param) => substitute(known, param, unbound));
  const [first = dynType, second = dynType] = params;
  switch (type.kind) {
    case "list":
      return listType(first);
    case "map":
      return mapType(first, second);
    case "type":
      return typeOfType(first);
    default:
      return { ...type, params };
  }
}

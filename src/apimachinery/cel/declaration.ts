import type { CostRule } from "./cost-runtime.ts";
import type { Macro } from "./macros.ts";
import { parseSignature } from "./signature.ts";
import type { CelType } from "./types.ts";
import type { CelValue } from "./value.ts";

/**
 * Implements an overload; gets arguments of the declared types, which were checked before, and
 * throws `CelError` when it fails.
 */
export type Implementation = (...args: never[]) => CelValue;

const selfCheckedImplementations = new WeakSet<Implementation>();

/** Marks an implementation that takes any values and fails by itself where they do not fit. */
export function selfChecked<F extends (...args: CelValue[]) => CelValue>(implementation: F): F {
  selfCheckedImplementations.add(implementation);
  return implementation;
}

export function isSelfChecked(implementation: Implementation): boolean {
  return selfCheckedImplementations.has(implementation);
}

/** One way to call a function. */
export interface Overload {
  /** cel-go's id, e.g. `add_int64`; costs go by it. */
  readonly id: string;
  readonly name: string;
  readonly member: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  readonly typeParams: readonly string[];
  /** Absent for what the compiler itself implements. */
  readonly implementation?: Implementation;
  /** Where the charge is not what `costRule` says. */
  readonly cost?: CostRule;
}

export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
}

/** Functions, types and macros that belong together. */
export interface Library {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** Types to be known by name in expressions. */
  readonly types?: readonly CelType[];
  readonly macros?: readonly Macro[];
}

/** One row of a library: id, signature (see `parseSignature`), implementation. */
export type OverloadRow = readonly [
  id: string,
  signature: string,
  implementation?: Implementation,
  cost?: CostRule,
];

export interface LibraryOptions {
  readonly name: string;
  readonly types?: readonly CelType[];
  readonly macros?: readonly Macro[];
  readonly rows: readonly OverloadRow[];
}

export function defineLibrary({ name, types = [], macros = [], rows }: LibraryOptions): Library {
  const known = new Map(types.map((type) => [type.name, type]));
  const overloads = rows.map(([id, signature, implementation, cost]): Overload => {
    const parsed = parseSignature(signature, known);
    return { id, ...parsed, ...(implementation && { implementation }), ...(cost && { cost }) };
  });
  return { name, overloads, types, macros };
}

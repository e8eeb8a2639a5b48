/**
 * Amounts of resources as numbers in fixed columns, so that nodes are compared without maps:
 * milli-units of cpu, whole units of everything else. The columns of extended resources are given
 * out as their names turn up, the same for the whole process.
 */
import { QuantityError, quantityMilliValue, quantityValue } from "#apimachinery/quantity.ts";

export const cpuColumn = 0;
export const memoryColumn = 1;
/** Columns below it exist in every vector. */
export const baseColumns = 3;

const names: string[] = ["cpu", "memory", "ephemeral-storage"];
const columns = new Map<string, number>(names.map((name, index) => [name, index]));

/** Distinct resource names that get a column; later ones are refused as unknown to every node. */
export const columnsMax = 4096;

/** Column of a resource; a new one for a new name. */
export function columnOf(name: string): number {
  let column = columns.get(name);
  if (column === undefined) {
    column = Math.min(names.length, columnsMax);
    if (column < columnsMax) {
      names.push(name);
      columns.set(name, column);
    }
  }
  return column;
}

export function nameOfColumn(column: number): string {
  return names[column] ?? "";
}

/** Sparse amounts: few names, in order of their columns. */
export interface Amounts {
  readonly columns: readonly number[];
  readonly values: readonly number[];
}

/** Values of quantities seen, per unit. Beyond the limit all are forgotten. */
const parsedMax = 8192;
const milli = new Map<string, number>();
const whole = new Map<string, number>();

/** Milli-units of cpu, whole units of everything else; 0 for what is no quantity. */
export function amountOf(name: string, quantity: string): number {
  const known = name === "cpu" ? milli : whole;
  let value = known.get(quantity);
  if (value === undefined) {
    value = parse(name, quantity);
    if (known.size >= parsedMax) known.clear();
    known.set(quantity, value);
  }
  return value;
}

function parse(name: string, quantity: string): number {
  try {
    return name === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity);
  } catch (error) {
    if (error instanceof QuantityError) return 0;
    throw error;
  }
}

export function amountsOf(totals: ReadonlyMap<string, number>): Amounts {
  const entries = [...totals].map(([name, value]) => [columnOf(name), value] as const);
  entries.sort(([a], [b]) => a - b);
  return { columns: entries.map(([column]) => column), values: entries.map(([, value]) => value) };
}

/** A vector that has `column`. */
export function grown(vector: Float64Array, column: number): Float64Array {
  if (column < vector.length) return vector;
  const larger = new Float64Array(column + 1);
  larger.set(vector);
  return larger;
}

/** Adds amounts, times `sign`; returns the vector, or a larger one. */
export function addAmounts(vector: Float64Array, amounts: Amounts, sign: 1 | -1): Float64Array {
  const { columns: at, values } = amounts;
  let target = vector;
  for (let i = 0; i < at.length; i++) {
    const column = at[i] as number;
    target = grown(target, column);
    target[column] = (target[column] as number) + sign * (values[i] as number);
  }
  return target;
}

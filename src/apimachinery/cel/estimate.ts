import type { Expr } from "./ast.ts";
import type { CelType } from "./types.ts";

/** A range of sizes or costs. `unlimited` stands for what has no bound. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Upper end of a range without bound: the largest uint64, as a double. */
export const unlimited = 2 ** 64;

export const unknownSize: Range = { min: 0, max: unlimited };

export function fixedRange(value: number): Range {
  return { min: value, max: value };
}

function saturate(value: number): number {
  return value >= unlimited ? unlimited : value;
}

export function addRanges(...ranges: readonly Range[]): Range {
  let min = 0;
  let max = 0;
  for (const range of ranges) {
    min = saturate(min + range.min);
    max = saturate(max + range.max);
  }
  return { min, max };
}

export function multiplyRanges(a: Range, b: Range): Range {
  return { min: saturate(a.min * b.min), max: saturate(a.max * b.max) };
}

/** Multiplies by a factor and rounds up. */
export function scaleRange(range: Range, factor: number): Range {
  return {
    min: saturate(Math.ceil(range.min * factor)),
    max: saturate(Math.ceil(range.max * factor)),
  };
}

export function unionRanges(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/** Bound that a schema sets for the value at a path. */
export type SizeAt = (path: readonly string[], type: CelType) => Range | undefined;

/** An argument, as cost functions see it. */
export interface EstimatedNode {
  /** Names from a variable down to the value; empty when it comes from none. */
  readonly path: readonly string[];
  readonly type: CelType;
  readonly expr: Expr | undefined;
  /** Known from the expression itself or from the schema. */
  readonly size: Range | undefined;
}

export interface CallToEstimate {
  readonly name: string;
  readonly overloadId: string;
  readonly target: EstimatedNode | undefined;
  readonly args: readonly EstimatedNode[];
  readonly sizeAt: SizeAt;
}

/** Cost of a call without its arguments, and the size of its result if it has one. */
export interface CallEstimate {
  readonly cost: Range;
  readonly size?: Range | undefined;
}

export function sizeOf(node: EstimatedNode | undefined): Range {
  return node?.size ?? unknownSize;
}

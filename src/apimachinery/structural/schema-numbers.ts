import { floatText } from "../go-format.ts";
import { addError, newResult, outside, type SchemaResult, composite } from "./schema-result.ts";
import type { Structural } from "./structural.ts";

interface NumberSubject {
  readonly value: number | bigint;
  readonly path: string;
}

/** Range of the format, `multipleOf`, `maximum`, `minimum`. */
export function validateNumber(schema: Structural, { value, path }: NumberSubject): SchemaResult {
  const result = newResult();
  result.matches++;
  checkRange(result, schema, { value, path });
  const isInteger = typeof value === "bigint" || Number.isInteger(value);
  const show = (limit: number): string => (isInteger ? String(Math.trunc(limit)) : floatText(limit));
  const { multipleOf, maximum, minimum } = schema;
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
    addError(result, outside(path, value, `should be a multiple of ${show(multipleOf)}`));
  }
  if (maximum !== undefined) {
    const limit = isInteger ? Math.trunc(maximum) : maximum;
    const exclusive = schema.exclusiveMaximum === true;
    if (exclusive ? value >= limit : value > limit) {
      const how = exclusive ? "less than" : "less than or equal to";
      addError(result, outside(path, value, `should be ${how} ${show(maximum)}`));
    }
  }
  if (minimum !== undefined) {
    const limit = isInteger ? Math.trunc(minimum) : minimum;
    const exclusive = schema.exclusiveMinimum === true;
    if (exclusive ? value <= limit : value < limit) {
      const how = exclusive ? "greater than" : "greater than or equal to";
      addError(result, outside(path, value, `should be ${how} ${show(minimum)}`));
    }
  }
  return result;
}

const int32Max = 2 ** 31 - 1;
const floatMax = 3.4028234663852886e38;

function checkRange(result: SchemaResult, schema: Structural, { value, path }: NumberSubject): void {
  const { type = "", format = "" } = schema;
  const isInt = type === "integer";
  const isInt32 = type === "integer" && format === "int32";
  const isFloat = type === "number" && format === "float";
  const fits =
    (!isInt32 || (value >= -int32Max - 1 && value <= int32Max)) &&
    (!isFloat || Math.abs(Number(value)) <= floatMax) &&
    (!isInt || typeof value === "bigint" || Number.isInteger(value));
  if (fits) return;
  const shown = isInt ? "integer" : type;
  const kind = isInt32 || isFloat ? `with format ${format}` : "(default format)";
  addError(result, composite(`Checked value must be of type ${shown} ${kind} in ${path}`));
}

function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === "bigint") return Number.isInteger(factor) && value % BigInt(factor) === 0n;
  if (Number.isInteger(value) && Number.isInteger(factor)) return value % factor === 0;
  const ratio = value / factor;
  return Number.isInteger(ratio);
}

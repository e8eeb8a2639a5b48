/** `intOrString` values: ports and counts that may be names or percentages. Source: util/intstr. */

/** The number, or the number that the whole text spells; 0 when it spells none. */
export function intValue(value: number | string): number {
  if (typeof value === "number") return value;
  return /^[+-]?\d+$/.test(value) ? Number(value) : 0;
}

/** `"80"` becomes 80; text that is no int32 stays text. */
export function parseIntOrString(text: string): number | string {
  if (!/^[+-]?\d+$/.test(text)) return text;
  const value = Number(text);
  return value === (value | 0) ? value : text;
}

export class IntOrStringError extends Error {
  override readonly name = "IntOrStringError";
}

/**
 * The number, or the percentage `"30%"` of `total`, rounded up or down. Throws an IntOrStringError
 * with upstream's text when a string is no percentage.
 */
export function scaledValueOfPercent(
  value: number | string,
  total: number,
  roundUp: boolean,
): number {
  if (typeof value === "number") return value;
  if (!value.endsWith("%")) {
    throw new IntOrStringError(
      "invalid value for IntOrString: invalid type: string is not a percentage",
    );
  }
  const digits = value.slice(0, -1);
  if (!/^[+-]?\d+$/.test(digits)) {
    throw new IntOrStringError(
      `invalid value for IntOrString: invalid value ${JSON.stringify(value)}: ` +
        `strconv.Atoi: parsing ${JSON.stringify(digits)}: invalid syntax`,
    );
  }
  const scaled = (Number(digits) * total) / 100;
  return roundUp ? Math.ceil(scaled) : Math.floor(scaled);
}

import { JsonNumber } from "#wire/json-token.ts";
import { compareBytes } from "./maps.ts";

/**
 * JSON values as Go prints them when upstream formats a decoded document into a message.
 * Integers stand for int64, other numbers for float64.
 */

/** `%v`: `map[a:1 b:[x y]]`, strings bare, keys sorted. */
export function goText(value: unknown): string {
  return print(value, (scalar) => scalar);
}

/** `%s`: as `%v`, but what is no text becomes `%!s(int64=5)`. */
export function goStringVerb(value: unknown): string {
  return print(value, (scalar, of) => {
    if (typeof of === "string") return scalar;
    return of === null || of === undefined ? "%!s(<nil>)" : `%!s(${goTypeName(of)}=${scalar})`;
  });
}

function print(value: unknown, scalar: (text: string, value: unknown) => string): string {
  if (value === null || value === undefined) return scalar("<nil>", value);
  if (Array.isArray(value)) return `[${value.map((item) => print(item, scalar)).join(" ")}]`;
  if (value instanceof JsonNumber) return scalar(floatText(value.value), value);
  if (typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => compareBytes(a, b))
      .map(([key, member]) => `${key}:${print(member, scalar)}`);
    return `map[${members.join(" ")}]`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value))
    return scalar(floatText(value), value);
  return scalar(String(value as string | number | bigint | boolean), value);
}

/** The dynamic type of a decoded JSON value: `map[string]interface {}`, `int64`. */
export function goTypeName(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (value instanceof JsonNumber) return "float64";
  switch (typeof value) {
    case "object":
      return "map[string]interface {}";
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int64";
    default:
      return Number.isInteger(value) ? "int64" : "float64";
  }
}

/** `%v` of a float64: shortest form, exponents of two digits below 1e-4 and from 1e21 on. */
export function floatText(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 1e21 || (magnitude !== 0 && magnitude < 1e-4)) {
    const [mantissa = "", exponent = ""] = value.toExponential().split("e");
    const digits = exponent.slice(1).padStart(2, "0");
    return `${mantissa}e${exponent.startsWith("-") ? "-" : "+"}${digits}`;
  }
  return String(value);
}

/** JSON as Go writes decoded documents: members sorted by bytes, `<`, `>`, `&` escaped. */
export function goJson(value: unknown): string {
  if (typeof value === "string") return escapeHtml(JSON.stringify(value));
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => compareBytes(a, b));
    return `{${members.map(([key, member]) => `${goJson(key)}:${goJson(member)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

const htmlCharacters = /[<>&\u2028\u2029]/g;

function escapeHtml(text: string): string {
  return text.replace(
    htmlCharacters,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

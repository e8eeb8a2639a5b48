import { inclusiveRangeText, type Findings, invalidTexts } from "./checks.ts";

/** Source: apimachinery/pkg/util/validation/validation.go. */
const portNameMax = 15;
const portNamePattern = /^[-a-z0-9]+$/;
const letterPattern = /[a-z]/;

export function checkPortNumber(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : [inclusiveRangeText(1, 65535)];
}

/** An IANA service name. */
export function checkPortName(name: string): string[] {
  const texts: string[] = [];
  if (Buffer.byteLength(name) > portNameMax) texts.push("must be no more than 15 characters");
  if (!portNamePattern.test(name)) {
    texts.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!letterPattern.test(name)) texts.push("must contain at least one letter (a-z)");
  if (name.includes("--")) texts.push("must not contain consecutive hyphens");
  if (name.startsWith("-") || name.endsWith("-")) {
    texts.push("must not begin or end with a hyphen");
  }
  return texts;
}

/** A number of a port, or the name of one. */
export function* validatePort(port: number | string, path: string): Findings {
  if (typeof port === "number") yield* invalidTexts(path, port, checkPortNumber(port));
  else yield* invalidTexts(path, port, checkPortName(port));
}

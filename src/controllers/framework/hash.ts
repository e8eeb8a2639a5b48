import { createHash } from "node:crypto";
import { compareBytes } from "#apimachinery/maps.ts";

const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/**
 * A short label value that depends on nothing but the content of `value`, whatever the order of
 * its members and whether empty parts are written or left out; `collisions` gives another one.
 * Upstream hashes a dump of Go structs, which nobody may rely on; the form is the same.
 */
export function contentHash(value: unknown, collisions?: number): string {
  const hash = createHash("sha256").update(canonicalJson(value));
  if (collisions !== undefined) hash.update(`#${collisions}`);
  const number = hash.digest().readUInt32BE(0);
  return [...String(number)]
    .map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length])
    .join("");
}

/** JSON with sorted keys, without empty members. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => !isEmpty(member))
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  return Array.isArray(value) && value.length === 0;
}

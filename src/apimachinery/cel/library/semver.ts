import { defineLibrary } from "../declaration.ts";
import { compareStrings } from "../equality.ts";
import { objectType, type CelType } from "../types.ts";
import { CelError, CelOpaque, type CelValue } from "../value.ts";
import { parses } from "./ip.ts";

export const semverType: CelType = objectType("kubernetes.Semver");

/** A version of Semantic Versioning 2.0.0; build metadata does not count in comparisons. */
export class SemverValue extends CelOpaque {
  readonly numbers: readonly [major: bigint, minor: bigint, patch: bigint];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  get type(): CelType {
    return semverType;
  }

  equals(other: CelValue): boolean {
    return other instanceof SemverValue && compareSemver(this, other) === 0;
  }
}

const numberNames = ["Major", "Minor", "Patch"] as const;

/** Reads a version; the texts of errors are those of the library upstream uses. */
export function parseSemver(text: string): SemverValue {
  if (text === "") throw new CelError("Version string empty");
  const parts = splitUpTo3(text);
  if (parts.length !== 3) throw new CelError("No Major.Minor.Patch elements found");
  const [major = "", minor = "", rest = ""] = parts;
  const plus = rest.indexOf("+");
  const build = plus === -1 ? undefined : rest.slice(plus + 1).split(".");
  const beforeBuild = plus === -1 ? rest : rest.slice(0, plus);
  const dash = beforeBuild.indexOf("-");
  const prerelease = dash === -1 ? [] : beforeBuild.slice(dash + 1).split(".");
  const patch = dash === -1 ? beforeBuild : beforeBuild.slice(0, dash);
  const [x = 0n, y = 0n, z = 0n] = [major, minor, patch].map(versionNumber);
  prerelease.forEach(checkPrerelease);
  build?.forEach(checkBuild);
  return new SemverValue([x, y, z], prerelease);
}

function splitUpTo3(text: string): string[] {
  const [first = "", second, ...rest] = text.split(".");
  if (second === undefined) return [first];
  return rest.length === 0 ? [first, second] : [first, second, rest.join(".")];
}

function versionNumber(text: string, index: number): bigint {
  const name = numberNames[index] ?? "Patch";
  if (/[^0-9]/.test(text)) {
    throw new CelError(
      `Invalid character(s) found in ${name.toLowerCase()} number ${JSON.stringify(text)}`,
    );
  }
  if (text.length > 1 && text.startsWith("0")) {
    throw new CelError(`${name} number must not contain leading zeroes ${JSON.stringify(text)}`);
  }
  if (text === "") throw new CelError('strconv.ParseUint: parsing "": invalid syntax');
  return readUint64(text);
}

function readUint64(digits: string): bigint {
  const value = digits.length > 20 ? 2n ** 64n : BigInt(digits);
  if (value < 2n ** 64n) return value;
  throw new CelError(`strconv.ParseUint: parsing ${JSON.stringify(digits)}: value out of range`);
}

function checkPrerelease(identifier: string): void {
  if (identifier === "") throw new CelError("Prerelease is empty");
  if (!/^[0-9A-Za-z-]+$/.test(identifier)) {
    throw new CelError(`Invalid character(s) found in prerelease ${JSON.stringify(identifier)}`);
  }
  if (/^0\d+$/.test(identifier)) {
    throw new CelError(
      `Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(identifier)}`,
    );
  }
  if (/^\d+$/.test(identifier)) readUint64(identifier);
}

function checkBuild(identifier: string): void {
  if (identifier === "") throw new CelError("Build meta data is empty");
  if (!/^[0-9A-Za-z-]+$/.test(identifier)) {
    throw new CelError(
      `Invalid character(s) found in build meta data ${JSON.stringify(identifier)}`,
    );
  }
}

/** Drops a `v`, leading zeros, and adds missing numbers. */
function parseNormalized(text: string): SemverValue {
  const parts = splitUpTo3(text.replace(/^v/, "")).map((part) => {
    if (part.length <= 1) return part;
    const trimmed = part.replace(/^0+/, "");
    return /^\d/.test(trimmed) ? trimmed : `0${trimmed}`;
  });
  if (parts.length < 3) {
    if (/[+-]/.test(parts.at(-1) ?? "")) {
      throw new CelError("short version cannot contain PreRelease/Build meta data");
    }
    while (parts.length < 3) parts.push("0");
  }
  return parseSemver(parts.join("."));
}

function compareSemver(a: SemverValue, b: SemverValue): number {
  for (const i of [0, 1, 2] as const) {
    if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] < b.numbers[i] ? -1 : 1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return Math.sign(b.prerelease.length - a.prerelease.length);
  }
  for (const [i, left] of a.prerelease.entries()) {
    const right = b.prerelease[i];
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0;
}

function compareIdentifiers(a: string, b: string): number {
  const [aIsNumber, bIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  if (!aIsNumber) return Math.sign(compareStrings(a, b));
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function parse(text: string, normalize = false): SemverValue {
  return normalize ? parseNormalized(text) : parseSemver(text);
}

/** Source: pkg/cel/library/semverlib.go, version 1. */
export const semverLibrary = defineLibrary({
  name: "kubernetes.Semver",
  types: [semverType],
  rows: [
    ["string_to_semver", "semver(string) -> kubernetes.Semver", parse],
    ["string_bool_to_semver", "semver(string, bool) -> kubernetes.Semver", parse],
    ["is_semver_string", "isSemver(string) -> bool", parses(parseSemver)],
    [
      "is_semver_string_bool",
      "isSemver(string, bool) -> bool",
      (text: string, normalize: boolean) => parses((t) => parse(t, normalize))(text),
    ],
    [
      "semver_is_greater_than",
      "(kubernetes.Semver).isGreaterThan(kubernetes.Semver) -> bool",
      (a: SemverValue, b: SemverValue) => compareSemver(a, b) > 0,
    ],
    [
      "semver_is_less_than",
      "(kubernetes.Semver).isLessThan(kubernetes.Semver) -> bool",
      (a: SemverValue, b: SemverValue) => compareSemver(a, b) < 0,
    ],
    [
      "semver_compare_to",
      "(kubernetes.Semver).compareTo(kubernetes.Semver) -> int",
      (a: SemverValue, b: SemverValue) => BigInt(compareSemver(a, b)),
    ],
    ["semver_major", "(kubernetes.Semver).major() -> int", (v: SemverValue) => v.numbers[0]],
    ["semver_minor", "(kubernetes.Semver).minor() -> int", (v: SemverValue) => v.numbers[1]],
    ["semver_patch", "(kubernetes.Semver).patch() -> int", (v: SemverValue) => v.numbers[2]],
  ],
});

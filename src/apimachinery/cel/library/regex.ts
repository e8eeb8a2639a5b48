import { compileRegexp, RegexpError, type Regexp } from "../../regexp.ts";
import { defineLibrary } from "../declaration.ts";
import { ArrayList, CelError, type CelList } from "../value.ts";

/** Compiles a pattern for a CEL function; `prefix` goes before Go's text if it is wrong. */
export function patternOf(pattern: string, prefix = ""): Regexp {
  try {
    return compileRegexp(pattern);
  } catch (thrown) {
    if (thrown instanceof RegexpError) throw new CelError(prefix + thrown.message);
    throw thrown;
  }
}

function find(text: string, pattern: string): string {
  return patternOf(pattern, "Illegal regex: ").find(text) ?? "";
}

function findAll(text: string, pattern: string, limit = -1n): CelList {
  const countMax = limit < 0n ? Infinity : Number(limit);
  return new ArrayList(patternOf(pattern, "Illegal regex: ").findAll(text, countMax));
}

/** Source: pkg/cel/library/regex.go. */
export const regexLibrary = defineLibrary({
  name: "kubernetes.regex",
  rows: [
    ["string_find_string", "(string).find(string) -> string", find],
    ["string_find_all_string", "(string).findAll(string) -> list(string)", findAll],
    ["string_find_all_string_int", "(string).findAll(string, int) -> list(string)", findAll],
  ],
});

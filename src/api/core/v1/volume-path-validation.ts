import { invalid } from "#apimachinery/field-error.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";

/** Paths that must stay inside a volume. Source: pkg/apis/core/validation. */
export const fileModeMax = 0o777;
export const fileModeText = "must be a number between 0 and 0777 (octal), both inclusive";

export function* validateNoBacksteps(target: string, path: string): Findings {
  if (target.split("/").includes("..")) yield invalid(path, target, "must not contain '..'");
}

export function* validateDescendingPath(target: string, path: string): Findings {
  if (target.startsWith("/")) yield invalid(path, target, "must be a relative path");
  yield* validateNoBacksteps(target, path);
}

/** A relative path that does not begin with `..`, which volumes keep for themselves. */
export function* validateNonReservedPath(target: string, path: string): Findings {
  yield* validateDescendingPath(target, path);
  if (target.startsWith("..") && !target.startsWith("../")) {
    yield invalid(path, target, "must not start with '..'");
  }
}

export function* validateFileMode(mode: number | undefined, path: string): Findings {
  if (mode !== undefined && (mode < 0 || mode > fileModeMax)) {
    yield invalid(path, mode, fileModeText);
  }
}

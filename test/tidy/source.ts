import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** A source file of the repository, as the tidy tests read it. */
export interface SourceFile {
  /** Relative to the root, `src/base/clock.ts`. */
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
}

export const root = join(import.meta.dirname, "../..");

/** All TypeScript files below a folder. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => {
      const full = join(entry.parentPath, entry.name);
      const path = relative(root, full);
      const isTest = /\.test\.ts$|\/(?:testing|contract)\/|store-contract/.test(path);
      return { path, text: readFileSync(full, "utf8"), isTest };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Modules that a file imports, types too. */
export function importsOf({ text }: SourceFile): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/^(?:import|export)\b[^;'"]*?from\s+["']([^"']+)["']|^import\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gms)) {
    found.push(match[1] ?? match[2] ?? match[3] ?? "");
  }
  return found;
}

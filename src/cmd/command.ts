import { resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import type { World } from "#base/world.ts";

/** What entry points may touch: the process itself. Only `main.ts` makes one. */
export interface CommandContext {
  openWorld(verbosity: number): World;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  readonly platform: string;
  readonly pid: number;
  readonly hostName: string;
  /** The Node binary, its own options, and the script that it runs. */
  readonly executable: string;
  readonly executableOptions: readonly string[];
  readonly entryPoint: string;
  exit(code: number): never;
  signal(pid: number, signal: NodeJS.Signals): void;
  /** Calls once, at the first SIGINT or SIGTERM. */
  onStop(run: () => void): void;
  print(line: string): void;
  /** Becomes another program; returns only where that cannot be done. */
  replaceBy(command: string, args: readonly string[]): void;
}

/** `--data-dir` of a cluster where none is given. */
export const dataDirectoryDefault = "/var/lib/kubets";

/** `--v` of upstream's components. */
export function verbosityOf(text: string | undefined): number {
  const level = Number(text ?? "0");
  return Number.isInteger(level) && level >= 0 ? level : 0;
}

/** `a,b` and repeated options as one list. */
export function listOption(value: string, previous: readonly string[] = []): string[] {
  return [...previous, ...value.split(",").filter((item) => item !== "")];
}

/** A whole number. Errors: Go's text for what is none. */
export function integerOption(value: string): number {
  if (!/^[+-]?\d{1,15}$/.test(value)) throw new InvalidArgumentError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}

/** A path that stays true when another process takes it up. */
export function pathOption(value: string): string {
  return resolve(value);
}

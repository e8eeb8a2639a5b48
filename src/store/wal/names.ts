/** Names of the store's files: `wal-0000000007` and `checkpoint-0000000007`. */
import { join } from "node:path";
import type { Files } from "#base/files.ts";

const numberDigits = 10;

export function segmentName(segment: number): string {
  return `wal-${String(segment).padStart(numberDigits, "0")}`;
}

/** The checkpoint from which replay starts with `segment`. */
export function checkpointName(segment: number): string {
  return `checkpoint-${String(segment).padStart(numberDigits, "0")}`;
}

/** Suffix of files that are not complete; opening removes them. */
export const unfinishedSuffix = ".unfinished";

export interface StoreListing {
  /** Numbers, ascending. */
  readonly segments: readonly number[];
  readonly checkpoints: readonly number[];
  readonly unfinished: readonly string[];
}

export async function listStore(files: Files, directory: string): Promise<StoreListing> {
  const names = await files.list(directory);
  const numbersOf = (kind: string): number[] =>
    names.flatMap((name) => {
      const match = new RegExp(`^${kind}-(\\d{${numberDigits}})$`).exec(name);
      return match === null ? [] : [Number(match[1])];
    });
  return {
    segments: numbersOf("wal"),
    checkpoints: numbersOf("checkpoint"),
    unfinished: names.filter((name) => name.endsWith(unfinishedSuffix)),
  };
}

/** Removes the files that a checkpoint has made needless. */
export async function removeBefore(
  files: Files,
  directory: string,
  segment: number,
): Promise<number> {
  const { segments, checkpoints } = await listStore(files, directory);
  const names = [
    ...checkpoints.filter((number) => number < segment).map(checkpointName),
    ...segments.filter((number) => number < segment).map(segmentName),
  ];
  for (const name of names) await files.remove(join(directory, name));
  if (names.length > 0) await files.syncDirectory(directory);
  return names.length;
}

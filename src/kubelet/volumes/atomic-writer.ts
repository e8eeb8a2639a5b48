/**
 * Writes a set of files so that readers see the old set or the new one, never a mixture.
 *
 *     volume/key        -> ..data/key
 *     volume/..data     -> ..2026_01_02_03_04_05.123
 *     volume/..2026_01_02_03_04_05.123/key
 *
 * 1. New files go to a new directory. 2. One rename of the `..data` link makes them visible.
 * 3. Links of first path components are added after, removed links and the old directory last.
 * Source: pkg/volume/util/atomic_writer.go.
 */
import { dirname, join } from "node:path";
import { isIoError, type Files } from "#base/files.ts";
import type { Payload } from "./payload.ts";

/** There once a set of files is visible. */
export const dataLink = "..data";
const newDataLink = "..data_tmp";

export interface AtomicWriteOptions {
  readonly files: Files;
  /** Unique for each write to one directory. */
  readonly stamp: string;
  readonly fsGroup?: number | undefined;
}

/** Returns whether anything changed. */
export async function writePayload(
  directory: string,
  payload: Payload,
  options: AtomicWriteOptions,
): Promise<boolean> {
  const { files, fsGroup } = options;
  const current = await currentDirectory(files, directory);
  if (current !== undefined && (await holds(files, join(directory, current), payload)))
    return false;
  const next = `..${options.stamp}`;
  await files.makeDirectory(directory);
  await own(files, directory, { fsGroup, mode: 0o777 });
  await writeFiles(join(directory, next), payload, options);
  await files.remove(join(directory, newDataLink));
  await files.symlink(next, join(directory, newDataLink));
  await files.rename(join(directory, newDataLink), join(directory, dataLink));
  await relink(files, directory, payload);
  if (current !== undefined) await files.remove(join(directory, current));
  return true;
}

async function currentDirectory(files: Files, directory: string): Promise<string | undefined> {
  try {
    return await files.readLink(join(directory, dataLink));
  } catch (error) {
    if (isIoError(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function holds(files: Files, directory: string, payload: Payload): Promise<boolean> {
  const present = await pathsBelow(files, directory, "");
  if (present.length !== payload.size) return false;
  for (const [path, { content }] of payload) {
    if (!present.includes(path)) return false;
    if (Buffer.compare(await files.read(join(directory, path)), content) !== 0) return false;
  }
  return true;
}

async function pathsBelow(files: Files, directory: string, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await files.list(join(directory, prefix))) {
    const path = join(prefix, name);
    const stat = await files.stat(join(directory, path));
    if (stat?.kind === "directory") found.push(...(await pathsBelow(files, directory, path)));
    else found.push(path);
  }
  return found;
}

async function writeFiles(
  directory: string,
  payload: Payload,
  { files, fsGroup }: AtomicWriteOptions,
): Promise<void> {
  const directories = new Set([directory]);
  for (const path of payload.keys()) {
    for (let at = dirname(path); at !== "."; at = dirname(at)) directories.add(join(directory, at));
  }
  for (const path of [...directories].toSorted()) {
    await files.makeDirectory(path, 0o755);
    await own(files, path, { fsGroup, mode: 0o755 });
  }
  for (const [path, { content, mode, uid }] of payload) {
    const full = join(directory, path);
    await files.write(full, content, mode);
    if (uid !== undefined) await files.chown(full, uid, fsGroup ?? 0);
    else if (fsGroup !== undefined) await files.chown(full, 0, fsGroup);
    // The umask may have taken bits away; and the group must be able to read.
    await files.chmod(full, fsGroup === undefined ? mode : mode | 0o440);
  }
}

/** Directories of a volume with a group belong to it, and so will what is made in them. */
async function own(
  files: Files,
  path: string,
  { fsGroup, mode }: { readonly fsGroup: number | undefined; readonly mode: number },
): Promise<void> {
  if (fsGroup !== undefined) await files.chown(path, 0, fsGroup);
  await files.chmod(path, fsGroup === undefined ? mode : mode | 0o2550);
}

async function relink(files: Files, directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split("/")[0] ?? path));
  const present = (await files.list(directory)).filter((name) => !name.startsWith(".."));
  for (const name of wanted) {
    if (!present.includes(name)) await files.symlink(join(dataLink, name), join(directory, name));
  }
  for (const name of present) if (!wanted.has(name)) await files.remove(join(directory, name));
}

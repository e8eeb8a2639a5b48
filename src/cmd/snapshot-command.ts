import { join, resolve } from "node:path";
import type { Command } from "commander";
import { rfc3339 } from "#base/clock.ts";
import { listSnapshots, restoreSnapshot, revisionBumpDefault, saveSnapshot, snapshotStatus } from "#store/store-admin.ts";
import { type CommandContext, dataDirectoryDefault, pathOption } from "./command.ts";

interface DataOptions {
  readonly dataDir: string;
}

interface RestoreOptions extends DataOptions {
  readonly bumpRevision: string;
}

/** `kubets snapshot`: backups of the embedded store; `kubets store snapshot` is the same. */
export function addSnapshotCommand(parent: Command, context: CommandContext): void {
  const snapshot = parent.command("snapshot").description("saves, lists and restores the state of a cluster, but not the keys in DATA/pki");
  const dataDir = ["--data-dir <path>", "data directory of the server", pathOption, dataDirectoryDefault] as const;
  snapshot
    .command("save [file]")
    .description("saves the state, of a server that runs or of one that does not; to DATA/snapshots when no file is named")
    .option(...dataDir)
    .action((file: string | undefined, options: DataOptions) => save(context, file, options));
  snapshot
    .command("list [directory]")
    .description("lists snapshots, oldest first, and checks their hashes; those of DATA/snapshots when no directory is named")
    .option(...dataDir)
    .action((directory: string | undefined, options: DataOptions) => list(context, directory, options));
  snapshot
    .command("restore <file>")
    .description("makes a new store of a snapshot, ours or etcd's; every watcher will begin anew")
    .option(...dataDir)
    .option("--bump-revision <count>", "added to the revision", String(revisionBumpDefault))
    .action((file: string, options: RestoreOptions) => restore(context, file, options));
  snapshot
    .command("status <file>")
    .description("reads a snapshot, ours or etcd's, and tells what is in it")
    .action((file: string) => status(context, file));
}

function directoryOf({ dataDir }: DataOptions): string {
  return join(dataDir, "snapshots");
}

async function save(context: CommandContext, file: string | undefined, options: DataOptions): Promise<void> {
  const { files, clock } = context.openWorld(0);
  const name = `${rfc3339(clock.nowMs()).replaceAll(/[-:]/g, "")}.snapshot`;
  if (file === undefined) await files.makeDirectory(directoryOf(options), 0o700);
  const snapshotPath = file === undefined ? join(directoryOf(options), name) : resolve(file);
  const revision = await saveSnapshot({ files, directory: join(options.dataDir, "store"), clock, snapshotPath });
  context.print(`saved revision ${revision} to ${snapshotPath}`);
}

async function list(context: CommandContext, named: string | undefined, options: DataOptions): Promise<void> {
  const { files } = context.openWorld(0);
  const directory = named === undefined ? directoryOf(options) : resolve(named);
  const isThere = (await files.stat(directory)) !== undefined;
  const snapshots = isThere ? await listSnapshots(files, directory) : [];
  const rows = snapshots.map(({ name, header, sizeBytes, isWhole }) => [
    name,
    String(header.revision),
    rfc3339(header.takenMs),
    String(sizeBytes),
    String(header.keyCount),
    isWhole ? "ok" : "DAMAGED",
  ]);
  printTable(context, [["NAME", "REVISION", "TAKEN", "BYTES", "OBJECTS", "HASH"], ...rows]);
  if (snapshots.some(({ isWhole }) => !isWhole)) throw new Error("some snapshots are damaged");
}

function printTable(context: CommandContext, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows) context.print(row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("   ").trimEnd());
}

async function restore(context: CommandContext, file: string, options: RestoreOptions): Promise<void> {
  const { files } = context.openWorld(0);
  const directory = join(options.dataDir, "store");
  const revisionBump = Number(options.bumpRevision);
  if (!Number.isSafeInteger(revisionBump) || revisionBump < 0) {
    throw new Error(`--bump-revision: not a count: ${options.bumpRevision}`);
  }
  const revision = await restoreSnapshot({ files, snapshotPath: resolve(file), directory, revisionBump });
  context.print(`restored to ${directory} at revision ${revision}`);
}

async function status(context: CommandContext, file: string): Promise<void> {
  const { files } = context.openWorld(0);
  const { revision, keyCount, sizeBytes } = await snapshotStatus(files, resolve(file));
  context.print(`revision ${revision}, ${keyCount} keys, ${sizeBytes} bytes`);
}

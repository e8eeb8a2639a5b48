import { join, resolve } from "node:path";
import type { Command } from "commander";
import {
  compactStore,
  restoreSnapshot,
  revisionBumpDefault,
  saveSnapshot,
  snapshotStatus,
  verifyStore,
} from "#store/store-admin.ts";
import { type CommandContext, dataDirectoryDefault } from "./command.ts";

interface StoreCliOptions {
  readonly dataDir: string;
}

interface RestoreCliOptions extends StoreCliOptions {
  readonly bumpRevision: string;
}

/** `kubets store`: checks, shrinks, saves and restores the embedded store. */
export function addStoreCommand(program: Command, context: CommandContext): void {
  const store = program
    .command("store")
    .description("checks, shrinks, saves and restores the store");
  const dataDir = [
    "--data-dir <path>",
    "data directory of the server",
    dataDirectoryDefault,
  ] as const;
  store
    .command("verify")
    .description("reads everything and checks every checksum; the server must not run")
    .option(...dataDir)
    .action((options: StoreCliOptions) => verify(context, options));
  store
    .command("compact")
    .description("drops all history from the files; the server must not run")
    .option(...dataDir)
    .action((options: StoreCliOptions) => compact(context, options));
  const snapshot = store.command("snapshot").description("saves and restores the state");
  snapshot
    .command("save <file>")
    .description("saves the state; the server may run")
    .option(...dataDir)
    .action((file: string, options: StoreCliOptions) => save(context, file, options));
  snapshot
    .command("restore <file>")
    .description("makes a new store of a snapshot; every watcher will begin anew")
    .option(...dataDir)
    .option("--bump-revision <count>", "added to the revision", String(revisionBumpDefault))
    .action((file: string, options: RestoreCliOptions) => restore(context, file, options));
  snapshot
    .command("status <file>")
    .description("checks a snapshot and tells what is in it")
    .action((file: string) => status(context, file));
}

function storeDirectory({ dataDir }: StoreCliOptions): string {
  return resolve(join(dataDir, "store"));
}

async function verify(context: CommandContext, options: StoreCliOptions): Promise<void> {
  const { files, clock } = context.openWorld(0);
  const report = await verifyStore(files, storeDirectory(options), clock);
  context.print(`revision ${report.revision}, history from ${report.compactRevision}`);
  context.print(`${report.keyCount} keys, ${report.recordCount} records replayed`);
  const { checkpointBytes, logBytes, segmentCount } = report;
  context.print(
    `checkpoint ${checkpointBytes} bytes, log ${logBytes} bytes in ${segmentCount} files`,
  );
  context.print(report.interrupted ?? "no damage, and no interrupted write");
}

async function compact(context: CommandContext, options: StoreCliOptions): Promise<void> {
  const { files, clock, random, log } = context.openWorld(0);
  const directory = storeDirectory(options);
  const { beforeBytes, afterBytes } = await compactStore({ files, directory, clock, random, log });
  context.print(`${beforeBytes} bytes before, ${afterBytes} bytes after`);
}

async function save(
  context: CommandContext,
  file: string,
  options: StoreCliOptions,
): Promise<void> {
  const { files, clock } = context.openWorld(0);
  const directory = storeDirectory(options);
  const snapshotPath = resolve(file);
  const revision = await saveSnapshot({ files, directory, clock, snapshotPath });
  context.print(`saved revision ${revision} to ${snapshotPath}`);
}

async function restore(
  context: CommandContext,
  file: string,
  options: RestoreCliOptions,
): Promise<void> {
  const { files } = context.openWorld(0);
  const directory = storeDirectory(options);
  const revisionBump = Number(options.bumpRevision);
  if (!Number.isSafeInteger(revisionBump) || revisionBump < 0) {
    throw new Error(`--bump-revision: not a count: ${options.bumpRevision}`);
  }
  const revision = await restoreSnapshot({
    files,
    snapshotPath: resolve(file),
    directory,
    revisionBump,
  });
  context.print(`restored to ${directory} at revision ${revision}`);
}

async function status(context: CommandContext, file: string): Promise<void> {
  const { files } = context.openWorld(0);
  const { revision, keyCount, sizeBytes } = await snapshotStatus(files, resolve(file));
  context.print(`revision ${revision}, ${keyCount} keys, ${sizeBytes} bytes`);
}

import { join, resolve } from "node:path";
import type { Command } from "commander";
import { compactStore, verifyStore } from "#store/store-admin.ts";
import { type CommandContext, dataDirectoryDefault } from "./command.ts";
import { addSnapshotCommand } from "./snapshot-command.ts";

interface StoreCliOptions {
  readonly dataDir: string;
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
  addSnapshotCommand(store, context);
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

import type { Command } from "commander";
import { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import { durationMs } from "#apimachinery/go-duration.ts";
import { startRetention } from "#store/compactor.ts";
import { openDurableStore } from "#store/durable.ts";
import type { EtcdServerOptions } from "#store/etcd-server.ts";
import { type CommandContext, verbosityOf } from "./command.ts";

interface EtcdCliOptions {
  readonly dataDir: string;
  readonly name: string;
  readonly listenClientUrls: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly trustedCaFile?: string;
  readonly autoCompactionRetention: string;
  readonly v?: string;
}

/** `kubets etcd`: etcd's API on the embedded store, with etcd's flag names. */
export function addEtcdCommand(program: Command, context: CommandContext): void {
  program
    .command("etcd")
    .description("serves etcd's API on the embedded store, one member")
    .option("--data-dir <path>", "directory of the store", "default.etcd")
    .option("--name <name>", "name of the member", "default")
    .option("--listen-client-urls <url>", "where clients connect", "http://127.0.0.1:2379")
    .option("--cert-file <file>", "certificate of the server, for an https URL")
    .option("--key-file <file>", "its private key")
    .option("--trusted-ca-file <file>", "authority that clients' certificates must come from")
    .option("--auto-compaction-retention <duration>", "how long history is kept; 0 for ever", "1h")
    .option("-v, --v <level>", "log verbosity")
    .action((options: EtcdCliOptions) => runEtcd(context, options));
}

async function runEtcd(context: CommandContext, options: EtcdCliOptions): Promise<void> {
  const world = context.openWorld(verbosityOf(options.v));
  const { clock, random, files, log } = world;
  const lifetime = new Lifetime("etcd");
  const directory = options.dataDir;
  const store = await openDurableStore({ files, directory, clock, random, log });
  lifetime.use(store);
  // Here and not above: gRPC takes a while to load, and no other command needs it.
  const { serveEtcd } = await import("#store/etcd-server.ts");
  const server = await serveEtcd({
    ...(await listening(world, options)),
    store,
    clock,
    log,
    name: options.name,
    diskBytes: () => store.diskBytes,
    defragment: () => store.checkpoint(),
  });
  lifetime.use(server);
  const retentionMs = durationMs(options.autoCompactionRetention);
  if (retentionMs > 0) lifetime.use(startRetention({ store, clock, log, retentionMs }));
  context.print(`etcd API ready on ${server.endpoint} at revision ${store.revision}`);
  context.onStop(() => void lifetime.end().finally(() => context.exit(0)));
}

type Listening = Pick<EtcdServerOptions, "host" | "port" | "tls">;

async function listening({ files }: World, options: EtcdCliOptions): Promise<Listening> {
  const { protocol, hostname, port } = new URL(options.listenClientUrls);
  const at = { host: hostname, port: Number(port === "" ? 2379 : port) };
  if (protocol !== "https:") return at;
  const { certFile, keyFile, trustedCaFile } = options;
  if (certFile === undefined || keyFile === undefined || trustedCaFile === undefined) {
    throw new Error("an https URL needs --cert-file, --key-file and --trusted-ca-file");
  }
  const paths = [certFile, keyFile, trustedCaFile] as const;
  const [cert, key, ca] = await Promise.all(paths.map((path) => files.read(path)));
  if (cert === undefined || key === undefined || ca === undefined) return at;
  return { ...at, tls: { cert, key, ca } };
}

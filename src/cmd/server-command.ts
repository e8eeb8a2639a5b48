import { type Command } from "commander";
import { Lifetime } from "#base/lifetime.ts";
import { rfc3339 } from "#base/clock.ts";
import { startTicksOf } from "#base/process-identity.ts";
import {
  type ClusterFile,
  type ProcessFile,
  readRunFile,
  writeRunFile,
} from "./cluster-file.ts";
import { type CommandContext, pathOption } from "./command.ts";
import { type ComponentName, startServer } from "./server.ts";

/** `kubets server`: what `up` starts inside the first node's network, once all is prepared. */
export function addServerCommand(program: Command, context: CommandContext): void {
  program
    .command("server", { hidden: true })
    .requiredOption("--data-dir <path>", "prepared by `up`", pathOption)
    .action(({ dataDir }: { dataDir: string }) => runServer(context, dataDir));
}

async function runServer(context: CommandContext, dataDirectory: string): Promise<void> {
  const cluster = await readRunFile<ClusterFile>(context.openWorld(0), dataDirectory, "cluster");
  if (cluster === undefined) throw new Error(`nothing was prepared in ${dataDirectory}: run \`kubets up\``);
  const world = context.openWorld(cluster.verbosity);
  const startedMs = world.clock.monotonicMs();
  const lifetime = new Lifetime("kubets");
  context.onStop(() => void lifetime.end().finally(() => context.exit(0)));
  const starting: ProcessFile = {
    pid: context.pid,
    startTicks: (await startTicksOf(world.files, context.pid)) ?? "",
    server: "",
    startedAt: rfc3339(world.clock.nowMs()),
    readyMs: 0,
  };
  await writeRunFile(world, dataDirectory, "starting", starting);
  const command = [context.executable, ...context.executableOptions, context.entryPoint];
  const running = await startServer(world, { ...serverOptions(dataDirectory, cluster), command }, lifetime);
  const ready: ProcessFile = {
    ...starting,
    server: running.url,
    readyMs: Math.round(world.clock.monotonicMs() - startedMs),
  };
  await writeRunFile(world, dataDirectory, "server", ready);
  context.print(`ready: ${running.url}, KUBECONFIG=${running.kubeconfigPath}`);
}

function serverOptions(dataDirectory: string, cluster: ClusterFile): Parameters<typeof startServer>[1] {
  const [first] = cluster.nodes;
  const address = cluster.hollow ? "127.0.0.1" : (first?.address ?? "127.0.0.1");
  return {
    dataDirectory,
    components: new Set(cluster.components as readonly ComponentName[]),
    storage: cluster.storage,
    advertiseAddress: address,
    featureGates: cluster.featureGates,
    cluster,
    apiServer: {
      bindAddress: "0.0.0.0",
      securePort: cluster.apiPort,
      anonymousAuth: true,
      disableAdmissionPlugins: [],
      enableAdmissionPlugins: ["NodeRestriction"],
      serviceClusterIpRange: cluster.serviceCidr,
      runtimeConfig: cluster.runtimeConfig,
      ...(cluster.encryption && { encryption: cluster.encryption }),
      ...cluster.requests,
      allowPrivileged: true,
      extraNames: [address],
    },
  };
}

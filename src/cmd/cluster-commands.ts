import type { Command } from "commander";
import { join } from "node:path";
import { startTicksOf } from "#base/process-identity.ts";
import type { World } from "#base/world.ts";
import { importImages } from "#kubelet/node/image-import.ts";
import {
  type ClusterFile,
  type PreparedNode,
  readRunFile,
  runDirectory,
  runningServer,
} from "./cluster-file.ts";
import { type CommandContext, dataDirectoryDefault, pathOption } from "./command.ts";
import { findKubectl } from "./kubectl.ts";
import { openContainerd, openNetwork } from "./node-resources.ts";
import { releaseSlot } from "./cluster-slot.ts";

/** `down`, `status`, `logs`, `kubectl`, `image load`: verbs on a cluster that `up` made. */
export function addClusterCommands(program: Command, context: CommandContext): void {
  const withData = (command: Command): Command =>
    command.option("--data-dir <path>", "the cluster's directory", pathOption, dataDirectoryDefault);

  withData(program.command("down"))
    .description("stops the cluster, its containers and networks; objects stay on disk")
    .option("--purge", "removes the data directory too")
    .action((options: { dataDir: string; purge?: boolean }) => down(context, options));

  withData(program.command("status"))
    .description("tells whether the cluster runs")
    .action(({ dataDir }: { dataDir: string }) => status(context, dataDir));

  withData(program.command("logs"))
    .description("prints the log of a detached cluster")
    .action(async ({ dataDir }: { dataDir: string }) => {
      const world = context.openWorld(0);
      context.print((await world.files.readText(join(dataDir, "kubets.log"))).trimEnd());
    });

  withData(program.command("kubectl"))
    .description("runs kubectl on the cluster")
    .allowUnknownOption()
    .passThroughOptions()
    .argument("[args...]")
    .action((args: string[], { dataDir }: { dataDir: string }) => kubectl(context, dataDir, args));

  const image = program.command("image").description("images of the nodes");
  withData(image.command("load"))
    .description("imports an OCI or docker archive into every node")
    .argument("<file>")
    .action((file: string, { dataDir }: { dataDir: string }) => loadImage(context, dataDir, file));
}

async function down(context: CommandContext, options: { dataDir: string; purge?: boolean }): Promise<void> {
  const world = context.openWorld(0);
  const server = await runningServer(world, options.dataDir, "starting");
  if (server !== undefined) {
    await stopProcess(context, world, server.pid);
    context.print(`stopped the control plane (pid ${server.pid})`);
  }
  const cluster = await readRunFile<ClusterFile>(world, options.dataDir, "cluster");
  for (const node of cluster?.hollow === false ? cluster.nodes : []) {
    await removeNode(world, node, cluster as ClusterFile);
    context.print(`removed node ${node.name}`);
  }
  await world.files.remove(runDirectory(options.dataDir));
  if (cluster?.hollow === false) await releaseSlot(world, cluster.slot);
  if (options.purge === true) await world.files.remove(options.dataDir);
}

/** Sends SIGTERM and waits for the end; what is left after a while is killed. */
async function stopProcess(context: CommandContext, world: World, pid: number): Promise<void> {
  context.signal(pid, "SIGTERM");
  const deadlineMs = world.clock.monotonicMs() + 10_000;
  while ((await startTicksOf(world.files, pid)) !== undefined) {
    if (world.clock.monotonicMs() > deadlineMs) context.signal(pid, "SIGKILL");
    await world.clock.sleep(20);
  }
}

async function removeNode(world: World, node: PreparedNode, cluster: ClusterFile): Promise<void> {
  const network = await openNetwork(world, cluster, node);
  const containerd = await openContainerd(world, cluster, { node, network });
  await containerd.stop();
  await network.close();
}

async function status(context: CommandContext, dataDirectory: string): Promise<void> {
  const world = context.openWorld(0);
  const server = await runningServer(world, dataDirectory);
  if (server === undefined) {
    context.print(`no cluster runs in ${dataDirectory}`);
    context.exit(1);
  }
  const cluster = await readRunFile<ClusterFile>(world, dataDirectory, "cluster");
  const rss = /VmRSS:\s+(\d+)/.exec(await world.files.readText(`/proc/${server.pid}/status`))?.[1];
  context.print(`server      ${server.server} (pid ${server.pid}, since ${server.startedAt})`);
  context.print(`ready after ${server.readyMs} ms, memory ${Math.round(Number(rss ?? 0) / 1024)} MiB`);
  context.print(`nodes       ${cluster?.nodes.map(({ name }) => name).join(", ") ?? ""}`);
  context.print(`kubeconfig  ${join(dataDirectory, "kubeconfig")}`);
}

async function kubectl(context: CommandContext, dataDirectory: string, args: readonly string[]): Promise<void> {
  const program = await findKubectl(context.openWorld(0), {
    path: context.environment["PATH"] ?? "",
    root: join(context.entryPoint, "../../.."),
  });
  context.replaceBy(program, [`--kubeconfig=${join(dataDirectory, "kubeconfig")}`, ...args]);
}

async function loadImage(context: CommandContext, dataDirectory: string, file: string): Promise<void> {
  const world = context.openWorld(0);
  const cluster = await readRunFile<ClusterFile>(world, dataDirectory, "cluster");
  if (cluster === undefined) throw new Error(`no cluster in ${dataDirectory}`);
  for (const node of cluster.nodes) {
    const socketPath = join(node.stateDirectory, "containerd.sock");
    for (const name of await importImages(file, { socketPath, world })) {
      context.print(`${node.name}: ${name}`);
    }
  }
}

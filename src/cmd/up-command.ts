import { type Command, Option } from "commander";
import { join } from "node:path";
import type { World } from "#base/world.ts";
import {
  type ClusterFile,
  type PreparedNode,
  type ProcessFile,
  hollowNodePrefix,
  runDirectory,
  runningServer,
  writeRunFile,
} from "./cluster-file.ts";
import { type CommandContext, dataDirectoryDefault, listOption, pathOption, verbosityOf } from "./command.ts";
import { addEncryptionOptions, type EncryptionCliOptions, encryptionFlags } from "./encryption-flags.ts";
import { claimSlot } from "./cluster-slot.ts";
import { type ClusterNames, openContainerd, openNetwork, stateDirectoryOf } from "./node-resources.ts";
import { installMissing, missingRequirements, missingText } from "./preflight.ts";
import { prepareImages } from "./prepare-images.ts";
import { addRequestOptions, type RequestCliOptions, requestFlags } from "./request-flags.ts";
import { componentNames } from "./server.ts";

interface UpOptions extends EncryptionCliOptions, RequestCliOptions {
  readonly dataDir: string;
  readonly nodes: string;
  readonly detach?: boolean;
  readonly components?: readonly string[];
  readonly network: "namespace" | "host";
  readonly install?: boolean;
  readonly hollow?: boolean;
  readonly hollowStages?: string;
  readonly storage: "durable" | "memory";
  readonly securePort: string;
  readonly featureGates?: string;
  readonly runtimeConfig?: string;
  readonly v?: string;
}

const clusterCidr = "10.244.0.0/16";
/** A start that takes longer gets a word about where to look. */
const slowStartMs = 10_000;
const serviceCidr = "10.96.0.0/16";

/** `kubets up`: a whole cluster on this machine. */
export function addUpCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("up")
    .description("starts a cluster on this machine, all in one process")
    .option("--data-dir <path>", "where everything is kept", pathOption, dataDirectoryDefault)
    .option("--nodes <count>", "nodes, each in a network namespace of its own", "1")
    .option("--detach", "returns when the cluster is ready, and lets it run")
    .option("--components <names>", `parts to run: ${componentNames.join(",")}`, listOption)
    .addOption(
      new Option("--network <mode>", "namespace keeps the machine's network as it is; host is for servers")
        .choices(["namespace", "host"])
        .default("namespace"),
    )
    .option("--install", "installs missing Debian or Ubuntu packages")
    .option("--hollow", "simulates the nodes: no containers, no root")
    .option("--hollow-stages <file>", "simulated nodes do what stages of KWOK say (kwok.x-k8s.io/v1alpha1)", pathOption)
    .option("--storage <kind>", "durable, or memory", "durable")
    .option("--secure-port <port>", "HTTPS port of the API server", "6443")
    .option("--feature-gates <gates>", "A=true,B=false")
    .option("--runtime-config <versions>", "versions to serve beyond the stable ones: GROUP/VERSION=true, api/beta=true")
    .option("-v, --v <level>", "log verbosity")
    .action((options: UpOptions) => up(context, options));
  addEncryptionOptions(command);
  addRequestOptions(command);
}

async function up(context: CommandContext, options: UpOptions): Promise<void> {
  const world = context.openWorld(verbosityOf(options.v));
  const progress = progressOn(context, world);
  const running = await runningServer(world, options.dataDir);
  if (running !== undefined) {
    context.print(`already running: pid ${running.pid}, ${running.server}`);
    return;
  }
  const hollow = await decideHollow(context, world, options);
  const names: ClusterNames = {
    slot: hollow ? 0 : await claimSlot(world, options.dataDir, context.pid),
    network: options.network,
    clusterCidr,
    serviceCidr,
  };
  const cluster: ClusterFile = {
    ...names,
    nodes: hollow ? hollowNodes(options) : await prepareNodes(world, { options, names, progress }),
    apiPort: Number(options.securePort),
    components: options.components ?? componentNames,
    storage: options.storage,
    featureGates: options.featureGates ?? "",
    runtimeConfig: options.runtimeConfig ?? "",
    ...encryptionFlags(options),
    requests: requestFlags(options),
    hollow,
    ...(options.hollowStages !== undefined && { hollowStages: await stagesFile(world, options.hollowStages) }),
    verbosity: verbosityOf(options.v),
  };
  await writeRunFile(world, options.dataDir, "cluster", cluster);
  await startServerProcess(context, world, { options, cluster, progress });
}

/** Errors: what is wrong with the stages, before anything starts. */
async function stagesFile(world: World, path: string): Promise<string> {
  const { readStages } = await import("#testing/kwok/stage.ts");
  readStages(await world.files.readText(path));
  return path;
}

/** Tells what happens and how long it took. */
interface Progress {
  step(text: string): void;
}

function progressOn(context: CommandContext, world: World): Progress {
  const startedMs = world.clock.monotonicMs();
  return {
    step(text) {
      const seconds = ((world.clock.monotonicMs() - startedMs) / 1000).toFixed(2);
      context.print(`[${seconds.padStart(6)} s] ${text}`);
    },
  };
}

async function decideHollow(context: CommandContext, world: World, options: UpOptions): Promise<boolean> {
  if (options.hollow === true || options.hollowStages !== undefined) return true;
  if (context.platform !== "linux" || !context.isRoot) {
    context.print(
      "real containers need Linux and root: the control plane runs with simulated nodes (no containers)",
    );
    return true;
  }
  let missing = await missingRequirements(world);
  if (missing.length > 0 && options.install === true) {
    context.print(`installing ${missing.map(({ debianPackage }) => debianPackage).join(", ")}...`);
    await installMissing(world, missing);
    missing = await missingRequirements(world);
  }
  if (missing.some(({ optional }) => optional !== true)) throw new Error(missingText(missing));
  if (missing.length > 0) context.print(missingText(missing));
  return false;
}

function nodeCount(options: UpOptions): number {
  const count = Number(options.nodes);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--nodes: ${options.nodes} is no positive number`);
  return count;
}

function nodeName(index: number): string {
  return index === 0 ? "kubets" : `kubets-${index + 1}`;
}

function hollowNodes(options: UpOptions): PreparedNode[] {
  return Array.from({ length: nodeCount(options) }, (_none, index) => ({
    name: `${hollowNodePrefix}${index}`,
    index,
    address: "127.0.0.1",
    machineAddress: "127.0.0.1",
    namespace: "",
    podCidr: `10.244.${index + 1}.0/24`,
    directory: "",
    stateDirectory: "",
  }));
}

interface Preparation {
  readonly options: UpOptions;
  readonly names: ClusterNames;
  readonly progress: Progress;
}

/** Networks, container runtimes and base images of the nodes. */
async function prepareNodes(world: World, preparation: Preparation): Promise<PreparedNode[]> {
  const { options, names } = preparation;
  const nodes: NodeToPrepare[] = [];
  // One by one, since they share a bridge; the slow rest side by side.
  for (let index = 0; index < nodeCount(options); index++) {
    const name = nodeName(index);
    nodes.push({ name, index, network: await openNetwork(world, names, { name, index }) });
  }
  const prepared = await Promise.allSettled(nodes.map((node) => prepareNode(world, preparation, node)));
  return prepared.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

interface NodeToPrepare {
  readonly name: string;
  readonly index: number;
  readonly network: Awaited<ReturnType<typeof openNetwork>>;
}

async function prepareNode(
  world: World,
  { options, names, progress }: Preparation,
  { name, index, network }: NodeToPrepare,
): Promise<PreparedNode> {
  const directory = join(options.dataDir, "nodes", name);
  const stateDirectory = stateDirectoryOf(names, name);
  const containerd = await openContainerd(world, names, { node: { name, directory, stateDirectory }, network });
  await prepareImages(world, { socketPath: containerd.socketPath, directory, runtime: containerd.runtime });
  progress.step(`node ${name}: network and container runtime`);
  return {
    name,
    index,
    address: network.address,
    machineAddress: network.machineAddress,
    namespace: network.namespacePath?.split("/").at(-1) ?? "",
    podCidr: `10.244.${index + 1}.0/24`,
    directory,
    stateDirectory,
  };
}

interface Start {
  readonly options: UpOptions;
  readonly cluster: ClusterFile;
  readonly progress: Progress;
}

/** The server lives inside the first node's network, where pods and Services can be reached. */
async function startServerProcess(context: CommandContext, world: World, start: Start): Promise<void> {
  const { options, cluster } = start;
  const namespace = cluster.nodes[0]?.namespace ?? "";
  const server = [context.executable, ...context.executableOptions, context.entryPoint, "server", "--data-dir", options.dataDir];
  const command = namespace === "" ? server : ["nsenter", `--net=/run/netns/${namespace}`, ...server];
  const [program = "", ...args] = command;
  if (options.detach !== true) {
    context.replaceBy(program.includes("/") ? program : `/usr/bin/${program}`, args);
    throw new Error(`cannot start ${program}`);
  }
  const directory = runDirectory(options.dataDir);
  const logPath = join(options.dataDir, "kubets.log");
  const slow = world.clock.after(slowStartMs, () => start.progress.step(`still starting; see ${logPath}`));
  const ready = await waitForReady(world, directory, async () => {
    const child = world.processes.start(program, args, { detachedLogPath: logPath });
    const code = await child.exited;
    throw new Error(`the server ended with code ${code}; see ${logPath}`);
  });
  slow[Symbol.dispose]();
  start.progress.step(`ready: ${ready.server}`);
  context.print(`export KUBECONFIG=${join(options.dataDir, "kubeconfig")}`);
  context.exit(0);
}

/** Resolves when the server has written that it is ready; rejects when it ended before. */
async function waitForReady(
  world: World,
  directory: string,
  run: () => Promise<never>,
): Promise<ProcessFile> {
  const path = join(directory, "server.json");
  await world.files.remove(path);
  const { promise, resolve, reject } = Promise.withResolvers<ProcessFile>();
  const look = (): void => {
    world.files.readText(path).then(
      (text) => resolve(JSON.parse(text) as ProcessFile),
      () => undefined,
    );
  };
  const watch = world.files.watch(directory, look);
  run().catch(reject);
  try {
    return await promise;
  } finally {
    watch[Symbol.dispose]();
  }
}

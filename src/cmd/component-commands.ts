import { kubernetesRelease } from "#apimachinery/release.ts";
import { type Command, Option } from "commander";
import { durationMs } from "#apimachinery/go-duration.ts";
import { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import { jitterFactor, startLeaderElection } from "#client/leader-election.ts";
import { type ClusterFile, readRunFile } from "./cluster-file.ts";
import { type CommandContext, listOption, pathOption, verbosityOf } from "./command.ts";
import { openPki } from "./pki.ts";
import { connectRemote, type Remote } from "./remote.ts";
import type { SchedulerFlags } from "./scheduler-process.ts";

interface ComponentOptions {
  readonly kubeconfig: string;
  readonly leaderElect: string;
  readonly leaderElectLeaseDuration: string;
  readonly leaderElectRenewDeadline: string;
  readonly leaderElectRetryPeriod: string;
  readonly leaderElectResourceName?: string;
  readonly leaderElectResourceNamespace: string;
  readonly v?: string;
}

/** `controller-manager`, `scheduler`, `kubelet`, `proxy`, `dns`: each alone, over the network. */
export function addComponentCommands(program: Command, context: CommandContext): void {
  const component = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option("-v, --v <level>", "log verbosity");
  const elected = (name: string, description: string): Command =>
    component(name, description)
      .requiredOption("--kubeconfig <file>", "API server and credentials")
      .option("--leader-elect <bool>", "waits for the Lease before it works", "true")
      .option("--leader-elect-lease-duration <duration>", "others wait so long after the last renewal", "15s")
      .option("--leader-elect-renew-deadline <duration>", "the leader gives up so long after it", "10s")
      .option("--leader-elect-retry-period <duration>", "between tries to take or renew the Lease", "2s")
      .addOption(new Option("--leader-elect-resource-lock <kind>", "of the lock").choices(["leases"]).default("leases"))
      .option("--leader-elect-resource-name <name>", "of the Lease; the component's when absent")
      .option("--leader-elect-resource-namespace <namespace>", "of the Lease", "kube-system");

  elected("controller-manager", "runs the controllers alone")
    .requiredOption("--data-dir <path>", "the cluster's directory: signing keys and the root CA", pathOption)
    .option("--controllers <names>", "*, name, -name", listOption)
    .action((options: ComponentOptions & { dataDir: string; controllers?: string[] }) =>
      runControllerManager(context, options),
    );
  elected("scheduler", "runs the scheduler alone")
    .option("--config <file>", "a KubeSchedulerConfiguration: profiles, plugins, extenders", pathOption)
    .option("--feature-gates <gates>", "A=true,B=false")
    .action((options: ComponentOptions & SchedulerFlags) => runScheduler(context, options));
  for (const name of ["kubelet", "proxy", "dns"]) {
    component(name, `runs the ${name} of a node that \`up\` prepared, inside the node's network`)
      .requiredOption("--data-dir <path>", "the cluster's directory", pathOption)
      .option("--node <name>", "name of the node", "kubets")
      .action((options: NodeOptions) => runNode(context, options, [name]));
  }
  program
    .command("node", { hidden: true })
    .description("runs kubelet, proxy and DNS of a node that `up` prepared")
    .requiredOption("--data-dir <path>", "the cluster's directory", pathOption)
    .requiredOption("--node <name>", "name of the node")
    .option("-v, --v <level>", "log verbosity")
    .action((options: NodeOptions) => runNode(context, options, ["kubelet", "proxy", "dns"]));
}

interface Opened {
  readonly world: World;
  readonly lifetime: Lifetime;
}

function open(context: CommandContext, name: string, verbosity: string | undefined): Opened {
  const world = context.openWorld(verbosityOf(verbosity));
  const lifetime = new Lifetime(name);
  context.onStop(() => void lifetime.end().finally(() => context.exit(0)));
  return { world, lifetime };
}

/** Runs `lead` while this process holds the component's Lease; ends the process when it loses it. */
function whenElected(
  context: CommandContext,
  { world, lifetime }: Opened,
  spec: {
    readonly name: string;
    readonly remote: Remote;
    readonly options: ComponentOptions;
    readonly lead: (lifetime: Lifetime) => void;
  },
): void {
  const { options } = spec;
  if (options.leaderElect === "false") {
    spec.lead(lifetime);
    return;
  }
  startLeaderElection({
    client: spec.remote.client,
    clock: world.clock,
    random: world.random,
    log: world.log.named("leader-election"),
    lifetime,
    namespace: options.leaderElectResourceNamespace,
    name: options.leaderElectResourceName ?? spec.name,
    ...leaseTimes(options),
    identity: `${context.hostName}_${world.random.uuid()}`,
    lead: spec.lead,
    lost: () => context.exit(1),
  });
}

/** Errors: what upstream's ValidateLeaderElectionConfiguration and NewLeaderElector refuse. */
function leaseTimes(options: ComponentOptions): {
  leaseDurationMs: number;
  renewDeadlineMs: number;
  retryPeriodMs: number;
} {
  const leaseDurationMs = durationMs(options.leaderElectLeaseDuration);
  const renewDeadlineMs = durationMs(options.leaderElectRenewDeadline);
  const retryPeriodMs = durationMs(options.leaderElectRetryPeriod);
  if (!(leaseDurationMs > renewDeadlineMs)) throw new Error("leaseDuration must be greater than renewDeadline");
  if (!(renewDeadlineMs > jitterFactor * retryPeriodMs)) {
    throw new Error("renewDeadline must be greater than retryPeriod*JitterFactor");
  }
  if (!(retryPeriodMs >= 1)) throw new Error("retryPeriod must be greater than zero");
  return { leaseDurationMs, renewDeadlineMs, retryPeriodMs };
}

async function runControllerManager(
  context: CommandContext,
  options: ComponentOptions & { dataDir: string; controllers?: string[] },
): Promise<void> {
  const opened = open(context, "controller-manager", options.v);
  const { startControllerManager } = await import("./controller-manager.ts");
  const { world, lifetime } = opened;
  const pki = await openPki(world, options.dataDir);
  const userAgent = `kube-controller-manager/${kubernetesRelease}`;
  const remote = await connectRemote(world, { kubeconfig: options.kubeconfig, userAgent, lifetime });
  whenElected(context, opened, {
    name: "kube-controller-manager",
    remote,
    options,
    lead: (own) =>
      startControllerManager(world, {
        ...remote,
        pki,
        lifetime: own,
        ...(options.controllers && { enable: options.controllers }),
      }),
  });
}

async function runScheduler(context: CommandContext, options: ComponentOptions & SchedulerFlags): Promise<void> {
  const opened = open(context, "scheduler", options.v);
  const { prepareScheduler } = await import("./scheduler-process.ts");
  const { world, lifetime } = opened;
  const userAgent = `kube-scheduler/${kubernetesRelease}`;
  const remote = await connectRemote(world, { kubeconfig: options.kubeconfig, userAgent, lifetime });
  const lead = await prepareScheduler(world, { remote, flags: options, host: context.hostName, lifetime });
  whenElected(context, opened, { name: "kube-scheduler", remote, options, lead });
}

interface NodeOptions {
  readonly dataDir: string;
  readonly node: string;
  readonly v?: string;
}

async function runNode(context: CommandContext, options: NodeOptions, components: readonly string[]): Promise<void> {
  const { world, lifetime } = open(context, options.node, options.v);
  const cluster = await readRunFile<ClusterFile>(world, options.dataDir, "cluster");
  const node = cluster?.nodes.find(({ name }) => name === options.node);
  if (cluster === undefined || node === undefined) throw new Error(`${options.dataDir} has no node ${options.node}`);
  const kubelet = await connectRemote(world, {
    kubeconfig: `${options.dataDir}/kubelet-${node.name}.conf`,
    userAgent: `kubelet/${kubernetesRelease}`,
    lifetime,
  });
  const other = await connectRemote(world, {
    kubeconfig: `${options.dataDir}/node-services.conf`,
    userAgent: `kube-proxy/${kubernetesRelease}`,
    lifetime,
  });
  const { startNode } = await import("./node-agent.ts");
  await startNode(world, {
    node,
    cluster,
    client: other.client,
    informers: other.informers,
    kubeletClient: kubelet.client,
    kubeletInformers: kubelet.informers,
    pki: await openPki(world, options.dataDir),
    components: new Set(components),
    lifetime,
  });
  context.print(`${components.join(", ")} of ${node.name}: running`);
}

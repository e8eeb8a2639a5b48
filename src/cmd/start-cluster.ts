/**
 * A whole control plane and simulated nodes for tests of controllers and operators: in this process, in
 * memory, with real controllers and a real scheduler. Nothing is left behind.
 *
 *     await using cluster = await startCluster();
 *     await cluster.client.resource(deployments).create(...);
 */
import { type ServiceAccount, serviceAccounts } from "#api/core/v1/service-account.ts";
import { Lifetime } from "#base/lifetime.ts";
import { type Logger, silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import type { Client } from "#client/client.ts";
import type { Informers } from "#client/informer-factory.ts";
import type { Scheduler } from "#scheduler/scheduler.ts";
import { type HollowNodes, type HollowNodesOptions, startHollowNodes } from "#testing/hollow-node.ts";
import { loopbackFlags } from "./api-server-component.ts";
import { type ComponentName, startServer } from "./server.ts";

export interface StartClusterOptions {
  /** Simulated nodes, `hollow-0` and on. @default 2 */
  readonly nodes?: number;
  readonly node?: Pick<HollowNodesOptions, "labels" | "capacity" | "startMs" | "stages">;
  /** @default API server, controllers and scheduler */
  readonly components?: readonly ComponentName[];
  /** As `--feature-gates`. */
  readonly featureGates?: string;
  /** As `--disable-admission-plugins`. */
  readonly disableAdmissionPlugins?: readonly string[];
  /** @default silent */
  readonly log?: Logger;
}

export interface TestCluster extends AsyncDisposable {
  /** Asks as the server itself, without encoding: its objects are shared and must not be changed. */
  readonly client: Client;
  readonly informers: Informers;
  readonly nodes: HollowNodes;
  readonly scheduler: Scheduler | undefined;
  /** HTTPS on loopback, for clients of every language. */
  readonly url: string;
  /** The text of a kubeconfig file for the administrator. */
  readonly kubeconfig: string;
}

const allComponents: readonly ComponentName[] = ["apiserver", "controller-manager", "scheduler"];
const dataDirectory = "/cluster";

/** Resolves when the API server is ready and the nodes are. */
export async function startCluster(options: StartClusterOptions = {}): Promise<TestCluster> {
  const log = options.log ?? silentLogger;
  const real = openWorld({ log });
  const world = { ...real, files: createVirtualFiles({ clock: real.clock }) };
  const lifetime = new Lifetime("cluster");
  const { components = allComponents } = options;
  try {
    const running = await startServer(world, serverOptions(options), lifetime);
    const client = running.api.server.loopback;
    const { informers, scheduler, url } = running;
    const nodes = await startHollowNodes({
      ...options.node,
      client,
      informers,
      clock: world.clock,
      log,
      lifetime: lifetime.child("hollow-nodes"),
      count: options.nodes ?? 2,
    });
    if (components.includes("controller-manager")) await defaultAccount(informers);
    const kubeconfig = await world.files.readText(running.kubeconfigPath);
    const end = (): Promise<void> => lifetime.end();
    return { client, informers, nodes, scheduler, url, kubeconfig, [Symbol.asyncDispose]: end };
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

/** Without it no Pod may be made in the namespace `default`. */
async function defaultAccount(informers: Informers): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = ({ metadata }: ServiceAccount): void => {
    if (metadata?.namespace === "default" && metadata.name === "default") resolve();
  };
  using _ = informers.of(serviceAccounts).subscribe({ onAdd: look });
  await promise;
}

function serverOptions(options: StartClusterOptions): Parameters<typeof startServer>[1] {
  return {
    dataDirectory,
    components: new Set(options.components ?? allComponents),
    storage: "memory",
    apiServer: { ...loopbackFlags, disableAdmissionPlugins: options.disableAdmissionPlugins ?? [] },
    advertiseAddress: "127.0.0.1",
    featureGates: options.featureGates ?? "",
  };
}

/** An API server on a memory store and a scheduler, in this process: what the workloads run on. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "#client/client.ts";
import { createInformers, type Informers } from "#client/informer-factory.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { nextTurn } from "#base/os/turn.ts";
import { openWorld } from "#base/os/world.ts";
import { startControllerManager } from "#cmd/controller-manager.ts";
import { featureDefaults } from "#cmd/feature-defaults.ts";
import { featureReader } from "#cmd/features.ts";
import { loopbackFlags } from "#cmd/api-server-component.ts";
import { startServer } from "#cmd/server.ts";
import { startScheduler } from "#scheduler/scheduler.ts";

export interface BenchCluster extends AsyncDisposable {
  readonly client: Client;
  readonly informers: Informers;
  readonly lifetime: Lifetime;
  /** Starts a scheduler; one at a time. `shared`: with the caches of the others in the process, as in `up`. */
  start(shared?: Informers): void;
  stop(): Promise<void>;
}

export interface BenchClusterOptions {
  readonly featureGates: string;
  /** Controllers that work beside the scheduler. */
  readonly controllers?: readonly string[];
}

export async function openBenchCluster({ featureGates, controllers = [] }: BenchClusterOptions): Promise<BenchCluster> {
  const world = openWorld({ log: silentLogger });
  const lifetime = new Lifetime("bench");
  const dataDirectory = await mkdtemp(join(tmpdir(), "kubets-bench-"));
  const { api, pki } = await startServer(
    world,
    {
      dataDirectory,
      components: new Set(),
      storage: "memory",
      apiServer: {
        ...loopbackFlags,
        // As scheduler_perf has it: its pods bring their own priorities and have no accounts.
        disableAdmissionPlugins: ["ServiceAccount", "TaintNodesByCondition", "Priority"],
        runtimeConfig: "api/all=true",
      },
      advertiseAddress: "127.0.0.1",
      featureGates,
    },
    lifetime,
  );
  const client = api.server.loopback;
  const { clock, random } = world;
  const features = featureReader(featureGates, featureDefaults);
  const informers = createInformers({ client, clock, random, log: silentLogger, lifetime });
  if (controllers.length > 0) startControllerManager(world, { client, informers, pki, lifetime, enable: controllers });
  let running: Lifetime | undefined;
  return {
    client,
    informers,
    lifetime,
    start(shared) {
      running = lifetime.child("scheduler");
      const own = shared ?? createInformers({ client, clock, random, log: silentLogger, lifetime: running });
      const log = {
        ...silentLogger,
        error: (message: string, error: unknown) =>
          process.stderr.write(`${message}: ${String(error)}\n`),
      };
      startScheduler({
        client,
        informers: own,
        clock,
        random,
        log,
        lifetime: running,
        nextTurn,
        featureEnabled: (gate) => features.enabled(gate),
      });
    },
    async stop() {
      await running?.end();
      running = undefined;
    },
    async [Symbol.asyncDispose]() {
      await lifetime.end();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

import { join } from "node:path";
import { readTextIfPresent } from "#base/files.ts";
import { isRunning, type ProcessIdentity } from "#base/process-identity.ts";
import type { World } from "#base/world.ts";
import type { EncryptionFlags } from "./encryption-flags.ts";
import type { RequestFlags } from "./request-flags.ts";

/** Simulated nodes are called so, with a number. */
export const hollowNodePrefix = "hollow-";

/** What `up` prepared for the processes that it starts, as `DATA/run/cluster.json`. */
export interface ClusterFile {
  readonly nodes: readonly PreparedNode[];
  /** Tells clusters on one machine apart: names of bridges, ranges, cgroups. */
  readonly slot: number;
  readonly network: "namespace" | "host";
  readonly apiPort: number;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly components: readonly string[];
  readonly storage: "durable" | "memory";
  readonly featureGates: string;
  readonly runtimeConfig: string;
  readonly encryption?: EncryptionFlags;
  readonly requests?: RequestFlags;
  /** Without real containers: nodes are simulated. */
  readonly hollow: boolean;
  /** File of the stages that simulated nodes play. */
  readonly hollowStages?: string;
  readonly verbosity: number;
}

export interface PreparedNode {
  readonly name: string;
  readonly index: number;
  readonly address: string;
  readonly machineAddress: string;
  /** Name of the network namespace, "" for the machine's own. */
  readonly namespace: string;
  readonly podCidr: string;
  /** Images, logs, volumes, containerd's root. */
  readonly directory: string;
  /** containerd's sockets; short paths. */
  readonly stateDirectory: string;
}

/** A process of the cluster that runs, as `DATA/run/NAME.json`. */
export interface ProcessFile extends ProcessIdentity {
  readonly server: string;
  readonly startedAt: string;
  /** From the start of `up` to readiness. */
  readonly readyMs: number;
}

export function runDirectory(dataDirectory: string): string {
  return join(dataDirectory, "run");
}

export async function readRunFile<T>(world: World, dataDirectory: string, name: string): Promise<T | undefined> {
  const text = await readTextIfPresent(world.files, join(runDirectory(dataDirectory), `${name}.json`));
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

export async function writeRunFile(world: World, dataDirectory: string, name: string, value: object): Promise<void> {
  const directory = runDirectory(dataDirectory);
  await world.files.makeDirectory(directory, 0o700);
  await world.files.writeAtomic(join(directory, `${name}.json`), `${JSON.stringify(value, undefined, 1)}\n`, 0o600);
}

/**
 * A process of a data directory, if it is still that one: `server` is ready, `starting` may be yet
 * on its way.
 */
export async function runningServer(
  world: World,
  dataDirectory: string,
  name: "server" | "starting" = "server",
): Promise<ProcessFile | undefined> {
  const file = await readRunFile<ProcessFile>(world, dataDirectory, name);
  return file !== undefined && (await isRunning(world.files, file)) ? file : undefined;
}

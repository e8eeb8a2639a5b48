import { join } from "node:path";
import type { Lifetime } from "#base/lifetime.ts";
import type { ChildProcess } from "#base/processes.ts";
import type { World } from "#base/world.ts";
import type { PreparedNode } from "./cluster-file.ts";

/** Pause before a node's process that ended is started again. */
const restartMs = 1000;

export interface NodeProcesses {
  readonly nodes: readonly PreparedNode[];
  readonly dataDirectory: string;
  /** The program and script of this process. */
  readonly command: readonly string[];
  readonly lifetime: Lifetime;
}

/** Runs a process for each further node, inside its network; starts again what ends. */
export function startNodeProcesses(world: World, options: NodeProcesses): void {
  for (const node of options.nodes) void keepRunning(world, node, options);
}

async function keepRunning(
  world: World,
  node: PreparedNode,
  { dataDirectory, command, lifetime }: NodeProcesses,
): Promise<void> {
  const log = world.log.named(node.name);
  const args = [`--net=/run/netns/${node.namespace}`, ...command, "node", "--data-dir", dataDirectory, "--node", node.name];
  const detachedLogPath = join(dataDirectory, `${node.name}.log`);
  let child: ChildProcess | undefined;
  lifetime.defer(() => child?.kill("SIGTERM"));
  while (!lifetime.ended) {
    child = world.processes.start("nsenter", args, { detachedLogPath });
    try {
      const code = await child.exited;
      if (!lifetime.ended) log.warn("the node's process ended", { code });
    } catch (error) {
      log.error("cannot start the node's process", error);
    }
    if (!lifetime.ended) await world.clock.sleep(restartMs, lifetime.signal).catch(() => undefined);
  }
}

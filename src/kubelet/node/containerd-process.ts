/**
 * A node's own containerd: started detached, found again after we were gone, ended on demand.
 *
 * Invariants: 1. Nothing here dies with this process: a restart of ours, even by SIGKILL, leaves
 * every container running, and `startContainerd` takes over what runs. 2. In a node with a network
 * namespace containerd also has mount, pid and UTS namespaces of its own, below one `unshare`;
 * killing that one process ends containerd, shims, containers and mounts. 3. A shell is PID 1 in
 * there and starts containerd again when it dies, so a crash of containerd kills no container.
 */
import { join } from "node:path";
import { readTextIfPresent } from "#base/files.ts";
import { isRunning, type ProcessIdentity, startTicksOf } from "#base/process-identity.ts";
import type { World } from "#base/world.ts";
import { type ContainerRuntime } from "../cri/runtime.ts";
import { openContainerRuntime } from "../cri/containerd.ts";
import { containerdToml } from "./containerd-config.ts";
import type { NodeNetwork } from "./node-network.ts";

export interface ContainerdOptions {
  /** The hostname inside. */
  readonly nodeName: string;
  /** Survives reboots: images, snapshots, configuration, log. */
  readonly directory: string;
  /** On a tmpfs, and short: Unix socket paths hold 107 bytes. */
  readonly stateDirectory: string;
  readonly network: NodeNetwork;
  readonly sandboxImage: string;
  readonly cniBinDirectory: string;
  readonly cniConfDirectory: string;
  /** Host cgroup below which the node's pods live, removed at the end. */
  readonly cgroupRoot: string;
  readonly world: World;
}

export interface NodeContainerd {
  readonly socketPath: string;
  readonly runtime: ContainerRuntime;
  /** Was running already. */
  readonly adopted: boolean;
  /** Put before a path to reach it as the node's mount namespace sees it; "" without one. */
  readonly rootPrefix: string;
  /** Words to put before `mount` and `umount`. */
  readonly enterMounts: readonly string[];
  /** Ends containerd and all that runs in it, and removes its mounts and cgroups. */
  stop(): Promise<void>;
}

const boxScript = `mount --make-rshared /
hostname "$1"
while :; do containerd -c "$2" & wait $!; sleep 1; done`;
const plainScript = `while :; do containerd -c "$2" & wait $!; sleep 1; done`;

/** Source: linux/capability.h CAP_SYS_RESOURCE. */
const capSysResource = 24n;

export async function startContainerd(options: ContainerdOptions): Promise<NodeContainerd> {
  const { world, stateDirectory, directory } = options;
  const recordPath = join(stateDirectory, "containerd.json");
  const socketPath = join(stateDirectory, "containerd.sock");
  const known = await readRunning(world, recordPath);
  if (known !== undefined) {
    const runtime = await openContainerRuntime(socketPath, world);
    return nodeContainerd(options, { running: known, runtime, adopted: true, socketPath });
  }
  await removeLeftovers(options);
  for (const path of [directory, stateDirectory, options.cniConfDirectory]) {
    await world.files.makeDirectory(path, 0o711);
  }
  const configPath = join(directory, "config.toml");
  const toml = containerdToml({
    ...options,
    rootDirectory: join(directory, "root"),
    stateDirectory: join(stateDirectory, "state"),
    socketPath,
    streamAddress: options.network.mode === "host" ? "127.0.0.1" : options.network.address,
    registryDirectory: join(directory, "certs.d"),
    snapshotter: "overlayfs",
    systemdCgroup: false,
    restrictOomScoreAdj: !(await hasCapability(world, capSysResource)),
  });
  await world.files.writeAtomic(configPath, toml, 0o600);
  const pid = launch(options, configPath);
  const startTicks = await startTicksOf(world.files, pid);
  if (startTicks === undefined) throw new Error(`containerd ended at once; see ${directory}/containerd.log`);
  const running = { pid, startTicks };
  await world.files.writeAtomic(recordPath, JSON.stringify(running), 0o600);
  const runtime = await openContainerRuntime(socketPath, world);
  return nodeContainerd(options, { running, runtime, adopted: false, socketPath });
}

function launch(
  { network, nodeName, directory, world }: ContainerdOptions,
  configPath: string,
): number {
  const boxed = network.mode === "namespace";
  const unshare = "unshare -m -u -p -f --kill-child --mount-proc --propagation private".split(" ");
  const words = [
    ...network.enter,
    ...(boxed ? unshare : []),
    "sh",
    "-c",
    boxed ? boxScript : plainScript,
    "containerd-box",
    nodeName,
    configPath,
  ];
  const [command = "", ...args] = words;
  const detachedLogPath = join(directory, "containerd.log");
  return world.processes.start(command, args, { detachedLogPath }).pid;
}

function nodeContainerd(
  options: ContainerdOptions,
  live: {
    readonly running: ProcessIdentity;
    readonly runtime: ContainerRuntime;
    readonly adopted: boolean;
    readonly socketPath: string;
  },
): NodeContainerd {
  const boxed = options.network.mode === "namespace";
  const { pid } = live.running;
  return {
    socketPath: live.socketPath,
    runtime: live.runtime,
    adopted: live.adopted,
    rootPrefix: boxed ? `/proc/${pid}/root` : "",
    // The pid namespace too: the node's /proc shows no processes of others, not even as `self`.
    enterMounts: boxed
      ? ["nsenter", `--mount=/proc/${pid}/ns/mnt`, `--pid=/proc/${pid}/ns/pid_for_children`]
      : [],
    async stop() {
      if (!boxed) await removeSandboxes(live.runtime);
      await live.runtime[Symbol.asyncDispose]();
      await killTree(options.world, pid);
      await removeLeftovers(options);
      await options.world.files.remove(options.stateDirectory);
    },
  };
}

async function removeSandboxes({ runtime }: ContainerRuntime): Promise<void> {
  const sandboxes = await runtime.listPodSandboxes();
  await Promise.all(
    sandboxes.map(async ({ id }) => {
      await runtime.stopPodSandbox(id);
      await runtime.removePodSandbox(id);
    }),
  );
}

/** Kills the group that `launch` made and waits until it has gone. */
async function killTree({ processes }: World, pid: number): Promise<void> {
  const script = `kill -s KILL -- -${pid} 2>/dev/null
for i in $(seq 200); do kill -s 0 -- -${pid} 2>/dev/null || exit 0; sleep 0.02; done`;
  await processes.run("sh", ["-c", script]);
}

/** Mounts in our own mount namespace (mode `host`), and cgroups, which the runtime never removes. */
async function removeLeftovers(options: ContainerdOptions): Promise<void> {
  const script = `
grep -F " $1/" /proc/self/mounts | cut -d" " -f2 | sort -r | while read -r at; do umount -l "$at"; done
grep -F " $2/" /proc/self/mounts | cut -d" " -f2 | sort -r | while read -r at; do umount -l "$at"; done
for tree in /sys/fs/cgroup /sys/fs/cgroup/*; do
  [ -d "$tree/$3" ] && find "$tree/$3" -depth -type d -exec rmdir {} + 2>/dev/null
done
exit 0`;
  const { directory, stateDirectory, cgroupRoot } = options;
  await options.world.processes.run("sh", [
    "-c",
    script,
    "sh",
    directory,
    stateDirectory,
    cgroupRoot,
  ]);
}

async function readRunning(world: World, path: string): Promise<ProcessIdentity | undefined> {
  const text = await readTextIfPresent(world.files, path);
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as ProcessIdentity;
  return (await isRunning(world.files, record)) ? record : undefined;
}

async function hasCapability(world: World, bit: bigint): Promise<boolean> {
  const [, hex = "0"] =
    /^CapEff:\s*([0-9a-f]+)/m.exec(await world.files.readText("/proc/self/status")) ?? [];
  return ((BigInt(`0x${hex}`) >> bit) & 1n) === 1n;
}

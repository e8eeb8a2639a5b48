import { rfc3339 } from "#base/clock.ts";
import type { World } from "#base/world.ts";

/** What the whole machine uses, from /proc. */
export interface NodeUsage {
  /** To the second; `timeMs` is exact. */
  readonly time: string;
  readonly timeMs: number;
  readonly bootTime: string;
  readonly usageCoreNanoSeconds: number;
  readonly availableBytes: number;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

export interface InterfaceUsage {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

/** Clock ticks a second, fixed in the kernel's interface. Source: proc(5) USER_HZ. */
const ticksPerSecond = 100;

export async function readNodeUsage({ files, clock }: Pick<World, "files" | "clock">): Promise<NodeUsage> {
  const stat = await files.readText("/proc/stat").catch(() => "");
  const meminfo = await files.readText("/proc/meminfo").catch(() => "");
  const vmstat = await files.readText("/proc/vmstat").catch(() => "");
  const kib = (name: string): number => numberAfter(meminfo, `${name}:`) * 1024;
  const [, line = ""] = /^cpu\s+(.*)$/m.exec(stat) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = line.split(" ").map(Number);
  const ticks = user + nice + system + irq + softIrq + steal;
  const total = kib("MemTotal");
  const free = kib("MemFree");
  const inactiveFile = kib("Inactive\\(file\\)");
  const workingSetBytes = Math.max(0, total - free - inactiveFile);
  const timeMs = clock.nowMs();
  return {
    time: rfc3339(timeMs),
    timeMs,
    bootTime: rfc3339(numberAfter(stat, "btime") * 1000),
    usageCoreNanoSeconds: Math.round((ticks / ticksPerSecond) * 1e9),
    availableBytes: total - workingSetBytes,
    usageBytes: total - free,
    workingSetBytes,
    rssBytes: kib("AnonPages"),
    pageFaults: numberAfter(vmstat, "pgfault"),
    majorPageFaults: numberAfter(vmstat, "pgmajfault"),
  };
}

/** Of the network namespace that the kubelet is in, without the loopback. */
export async function readInterfaces({ files }: Pick<World, "files">): Promise<InterfaceUsage[]> {
  const text = await files.readText("/proc/net/dev").catch(() => "");
  return [...text.matchAll(/^\s*([^\s:]+):\s*(.*)$/gm)].flatMap(([, name = "", rest = ""]) => {
    if (name === "lo") return [];
    const fields = rest.trim().split(/\s+/).map(Number);
    const [rxBytes = 0, , rxErrors = 0] = fields;
    const [txBytes = 0, , txErrors = 0] = fields.slice(8);
    return [{ name, rxBytes, rxErrors, txBytes, txErrors }];
  });
}

/** How many processes there may be, and are. */
export async function readProcessCount({
  files,
}: Pick<World, "files">): Promise<{ readonly max: number; readonly current: number }> {
  const max = await files.readText("/proc/sys/kernel/pid_max").catch(() => "0");
  const load = await files.readText("/proc/loadavg").catch(() => "");
  return { max: Number(max), current: Number(/\/(\d+)/.exec(load)?.[1] ?? 0) };
}

function numberAfter(text: string, name: string): number {
  return Number(new RegExp(`^${name}\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
}

import { rfc3339 } from "#base/clock.ts";
import type { World } from "#base/world.ts";

/** What the whole machine uses, from /proc. */
export interface NodeUsage {
  readonly time: string;
  readonly bootTime: string;
  readonly usageCoreNanoSeconds: number;
  readonly availableBytes: number;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
}

/** Clock ticks a second, fixed in the kernel's interface. Source: proc(5) USER_HZ. */
const ticksPerSecond = 100;

export async function readNodeUsage({
  files,
  clock,
}: Pick<World, "files" | "clock">): Promise<NodeUsage> {
  const stat = await files.readText("/proc/stat").catch(() => "");
  const meminfo = await files.readText("/proc/meminfo").catch(() => "");
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(meminfo)?.[1] ?? 0) * 1024;
  const [, line = ""] = /^cpu\s+(.*)$/m.exec(stat) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = line
    .split(" ")
    .map(Number);
  const ticks = user + nice + system + irq + softIrq + steal;
  const total = kib("MemTotal");
  const free = kib("MemFree");
  const inactiveFile = kib("Inactive\\(file\\)");
  const workingSetBytes = Math.max(0, total - free - inactiveFile);
  return {
    time: rfc3339(clock.nowMs()),
    bootTime: rfc3339(Number(/^btime (\d+)/m.exec(stat)?.[1] ?? 0) * 1000),
    usageCoreNanoSeconds: Math.round((ticks / ticksPerSecond) * 1e9),
    availableBytes: total - workingSetBytes,
    usageBytes: total - free,
    workingSetBytes,
  };
}

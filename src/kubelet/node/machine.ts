import type { World } from "#base/world.ts";

/** What the machine is, read once. */
export interface Machine {
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** As Go names it. */
  readonly architecture: string;
}

export async function readMachine(world: World, directory: string): Promise<Machine> {
  const { files, processes } = world;
  const text = (path: string): Promise<string> => files.readText(path).catch(() => "");
  const cpus = [...(await text("/proc/cpuinfo")).matchAll(/^processor\s*:/gm)].length;
  const [, kib = "0"] = /^MemTotal:\s+(\d+) kB/m.exec(await text("/proc/meminfo")) ?? [];
  const [, osImage = "Linux"] =
    /^PRETTY_NAME="?([^"\n]*)"?/m.exec(await text("/etc/os-release")) ?? [];
  const [blocks = "0", size = "0"] = (
    await processes.run("stat", ["-f", "-c", "%b %S", directory])
  ).stdout
    .trim()
    .split(" ");
  const uname = (await processes.run("uname", ["-m"])).stdout.trim();
  const machineId = (await text("/etc/machine-id")).trim();
  const bootId = (await text("/proc/sys/kernel/random/boot_id")).trim();
  const productUuid = (await text("/sys/class/dmi/id/product_uuid")).trim();
  return {
    cpuCount: Math.max(1, cpus),
    memoryBytes: Number(kib) * 1024,
    diskBytes: Number(blocks) * Number(size),
    machineId: machineId || bootId.replaceAll("-", ""),
    systemUuid: productUuid || machineId || bootId,
    bootId,
    kernelVersion: (await text("/proc/sys/kernel/osrelease")).trim(),
    osImage,
    architecture: { x86_64: "amd64", aarch64: "arm64" }[uname] ?? uname,
  };
}

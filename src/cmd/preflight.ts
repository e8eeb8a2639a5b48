import type { World } from "#base/world.ts";

/** A program or directory that real containers need. */
interface Requirement {
  readonly what: string;
  readonly debianPackage: string;
  readonly paths: readonly string[];
  /** Clusters start without it. */
  readonly optional?: boolean;
}

const binaryDirectories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin", "/usr/local/sbin"];
const cniDirectories = ["/opt/cni/bin", "/usr/lib/cni"];

const requirements: readonly Requirement[] = [
  binary("containerd", "containerd"),
  binary("runc", "runc"),
  binary("nft", "nftables"),
  binary("ip", "iproute2"),
  binary("nsenter", "util-linux"),
  binary("unshare", "util-linux"),
  binary("mount", "mount"),
  {
    what: "CNI plugins (bridge, host-local, portmap)",
    debianPackage: "containernetworking-plugins",
    paths: cniDirectories.map((directory) => `${directory}/bridge`),
  },
  { ...binary("conntrack", "conntrack"), what: "conntrack (cuts UDP flows of removed endpoints)", optional: true },
  { ...binary("busybox", "busybox-static"), what: "busybox (for the sample image)", optional: true },
];

function binary(name: string, debianPackage: string): Requirement {
  return { what: name, debianPackage, paths: binaryDirectories.map((directory) => `${directory}/${name}`) };
}

/** What is missing on this machine for real containers. */
export async function missingRequirements(world: World): Promise<readonly Requirement[]> {
  const missing: Requirement[] = [];
  for (const requirement of requirements) {
    const found = await Promise.all(requirement.paths.map((path) => world.files.stat(path)));
    if (found.every((stat) => stat === undefined)) missing.push(requirement);
  }
  return missing;
}

export async function cniBinDirectory(world: World): Promise<string> {
  for (const directory of cniDirectories) {
    if ((await world.files.stat(`${directory}/bridge`)) !== undefined) return directory;
  }
  return cniDirectories[0] ?? "/opt/cni/bin";
}

/** The sentence that tells what is missing and how to get it. */
export function missingText(missing: readonly Requirement[]): string {
  const what = missing.map((requirement) => requirement.what).join(", ");
  const packages = [...new Set(missing.map((requirement) => requirement.debianPackage))].join(" ");
  return `missing for real containers: ${what}. On Debian or Ubuntu: apt-get install ${packages}, or give --install`;
}

/** Installs what is missing with apt-get. Errors: what apt-get said. */
export async function installMissing(world: World, missing: readonly Requirement[]): Promise<void> {
  const packages = [...new Set(missing.map((requirement) => requirement.debianPackage))];
  const env = { DEBIAN_FRONTEND: "noninteractive", PATH: binaryDirectories.join(":") };
  for (const args of [["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", ...packages]]) {
    const { code, stderr } = await world.processes.run("apt-get", args, { env });
    if (code !== 0) throw new Error(`apt-get ${args[0]} failed: ${stderr.trim()}`);
  }
}

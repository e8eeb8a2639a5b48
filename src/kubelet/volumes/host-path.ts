import type { FileStat } from "#base/files.ts";
import type { VolumePlugin, VolumeSetup } from "./volume-plugin.ts";

/** A path of the node. Source: pkg/volume/hostpath. */
export const hostPath: VolumePlugin = {
  name: "kubernetes.io~host-path",
  handles: (volume) => volume.hostPath !== undefined,
  async setUp(setup) {
    const { path = "", type = "" } = setup.volume.hostPath ?? {};
    await checkHostPath(setup, path, type);
    return path;
  },
};

/** Makes what `type` says to make, and refuses what is of another type. */
export async function checkHostPath(
  { context }: Pick<VolumeSetup, "context">,
  path: string,
  type: string,
): Promise<void> {
  if (type === "") return;
  const { files } = context.world;
  const seen = `${context.rootPrefix}${path}`;
  const found = (await files.stat(`${seen}/.`).catch(() => undefined)) ?? (await files.stat(seen));
  if (found === undefined && type === "DirectoryOrCreate") return files.makeDirectory(seen, 0o755);
  if (found === undefined && type === "FileOrCreate") return files.write(seen, "", 0o644);
  const wanted = expected[type];
  if (wanted === undefined) {
    throw new Error(`hostPath type check failed: ${path} is an invalid volume type`);
  }
  if (found !== undefined && wanted.is(found)) return;
  throw new Error(`hostPath type check failed: ${path} is not ${wanted.named}`);
}

interface Expected {
  readonly named: string;
  readonly is: (stat: FileStat) => boolean;
}

const directory: Expected = { named: "a directory", is: ({ kind }) => kind === "directory" };
const file: Expected = { named: "a file", is: ({ kind }) => kind === "file" };

const expected: Readonly<Record<string, Expected>> = {
  Directory: directory,
  DirectoryOrCreate: directory,
  File: file,
  FileOrCreate: file,
  Socket: { named: "a socket file", is: ({ kind }) => kind === "other" },
  CharDevice: { named: "a character device", is: ({ kind }) => kind === "other" },
  BlockDevice: { named: "a block device", is: ({ kind }) => kind === "other" },
};

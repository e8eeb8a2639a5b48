/** Images that every node has from the start, made here because nothing can be downloaded. */
import type { World } from "#base/world.ts";
import type { Architecture } from "./elf.ts";
import type { ImageContent, ImageFile } from "./oci-image.ts";
import { pauseProgram } from "./pause.ts";

/** Source: kubernetes/kubernetes build/pause; kubeadm's default for 1.36. */
export const pauseImageName = "registry.k8s.io/pause:3.10.1";

export function pauseImage(architecture: Architecture): ImageContent {
  return {
    names: [pauseImageName],
    architecture,
    files: [{ path: "pause", content: pauseProgram(architecture) }],
    entrypoint: ["/pause"],
    user: "65535:65535",
  };
}

export interface BusyboxImageOptions {
  readonly names: readonly string[];
  readonly architecture: Architecture;
  /** A static busybox, e.g. of Debian's package busybox-static. @default "/bin/busybox" */
  readonly program?: string;
  readonly files?: readonly ImageFile[];
  readonly command?: readonly string[];
}

/** A userland of one static program with its applets as links. */
export async function busyboxImage(
  world: Pick<World, "files" | "processes">,
  options: BusyboxImageOptions,
): Promise<ImageContent> {
  const program = options.program ?? "/bin/busybox";
  const { stdout } = await world.processes.run(program, ["--list"]);
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
  return {
    names: options.names,
    architecture: options.architecture,
    files: [
      { path: "tmp", mode: 0o1777 },
      { path: "root", mode: 0o700 },
      { path: "var/run" },
      { path: "etc/passwd", mode: 0o644, content: passwd },
      { path: "etc/group", mode: 0o644, content: group },
      { path: "bin/busybox", content: await world.files.read(program) },
      ...applets.map((name) => ({ path: `bin/${name}`, linkTarget: "busybox" })),
      ...(options.files ?? []),
    ],
    command: options.command ?? ["sh"],
  };
}

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;

const group = `root:x:0:
daemon:x:1:
nogroup:x:65534:
`;

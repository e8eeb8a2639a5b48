import { join } from "node:path";
import type { World } from "#base/world.ts";
import type { ContainerRuntime } from "#kubelet/cri/runtime.ts";
import { busyboxImage, pauseImage, pauseImageName } from "#kubelet/node/base-images.ts";
import { importImageArchive } from "#kubelet/node/image-import.ts";
import { type ImageContent, ociArchive } from "#kubelet/node/oci-image.ts";

/** A small web server that tells which pod answers: for the first look at a cluster. */
export const sampleImageName = "kubets.local/hello:1";
const busyboxImageName = "docker.io/library/busybox:latest";
const busyboxPath = "/bin/busybox";

const helloScript = `mkdir -p /tmp/www
echo "hello from $HOSTNAME" >/tmp/www/index.html
exec httpd -f -p 8080 -h /tmp/www`;

/** Imports the images that nothing can be pulled without: pause, busybox and the sample. */
export async function prepareImages(
  world: World,
  node: { readonly socketPath: string; readonly directory: string; readonly runtime: ContainerRuntime },
): Promise<void> {
  const present = new Set((await node.runtime.images.listImages()).flatMap((image) => image.repoTags ?? []));
  const wanted: ImageContent[] = [];
  if (!present.has(pauseImageName)) wanted.push(pauseImage("amd64"));
  const hasBusybox = (await world.files.stat(busyboxPath)) !== undefined;
  if (hasBusybox && !present.has(sampleImageName)) {
    wanted.push(
      await busyboxImage(world, { names: [busyboxImageName], architecture: "amd64" }),
      await busyboxImage(world, {
        names: [sampleImageName],
        architecture: "amd64",
        command: ["sh", "-c", helloScript],
      }),
    );
  }
  if (wanted.length === 0) return;
  await importImageArchive(await ociArchive(wanted), {
    socketPath: node.socketPath,
    world,
    directory: join(node.directory, "images"),
  });
}

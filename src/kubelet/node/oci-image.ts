/**
 * Writes container images as OCI layout archives, which `ctr images import`, `docker load` and
 * registries' tools read. Reproducible: the same files give the same digests.
 * Source: opencontainers/image-spec, image-layout.md and config.md.
 */
import { createHash } from "node:crypto";
import { pack } from "tar-stream";
import type { Architecture } from "./elf.ts";

export interface ImageFile {
  /** Relative to the root, without a leading slash; parents are made. */
  readonly path: string;
  /** @default 0o755 */
  readonly mode?: number;
  /** Exactly one of `content` and `linkTarget`; neither makes a directory. */
  readonly content?: Uint8Array | string;
  readonly linkTarget?: string;
}

export interface ImageContent {
  /** Full references, `docker.io/library/busybox:1.35`; at least one. */
  readonly names: readonly string[];
  readonly architecture: Architecture;
  readonly files: readonly ImageFile[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  /** `80/tcp`. */
  readonly exposedPorts?: readonly string[];
}

interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

const epoch = new Date(0);

/** One archive with all the images in it. */
export async function ociArchive(images: readonly ImageContent[]): Promise<Uint8Array> {
  const blobs = new Map<string, Blob>();
  const manifests: object[] = [];
  for (const image of images) {
    const layer = blobOf(await layerOf(image.files));
    const config = blobOf(configOf(image, layer.digest));
    const manifest = blobOf(manifestOf(config, layer));
    for (const blob of [layer, config, manifest]) blobs.set(blob.digest, blob);
    for (const name of image.names) manifests.push(descriptorOf(manifest, image, name));
  }
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests,
  };
  const files: ImageFile[] = [
    { path: "oci-layout", content: `{"imageLayoutVersion":"1.0.0"}`, mode: 0o644 },
    { path: "index.json", content: JSON.stringify(index), mode: 0o644 },
    { path: "blobs" },
    { path: "blobs/sha256" },
  ];
  for (const { digest, bytes } of blobs.values()) {
    files.push({ path: `blobs/sha256/${digest.slice(7)}`, content: bytes, mode: 0o644 });
  }
  return tarOf(files);
}

/** Files in the order given, each preceded by those of its parents that are not listed. */
function layerOf(files: readonly ImageFile[]): Promise<Uint8Array> {
  const listed = new Set(files.map(({ path }) => path));
  const withParents: ImageFile[] = [];
  for (const file of files) {
    const parts = file.path.split("/");
    for (let i = 1; i < parts.length; i++) {
      const parent = parts.slice(0, i).join("/");
      if (listed.has(parent)) continue;
      listed.add(parent);
      withParents.push({ path: parent });
    }
    withParents.push(file);
  }
  return tarOf(withParents);
}

function configOf(image: ImageContent, layerDigest: string): object {
  return {
    created: "1970-01-01T00:00:00Z",
    architecture: image.architecture,
    os: "linux",
    config: {
      ...(image.user !== undefined && { User: image.user }),
      ...(image.exposedPorts && {
        ExposedPorts: Object.fromEntries(image.exposedPorts.map((port) => [port, {}])),
      }),
      Env: image.env ?? ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      ...(image.entrypoint && { Entrypoint: image.entrypoint }),
      ...(image.command && { Cmd: image.command }),
      WorkingDir: image.workingDir ?? "/",
    },
    rootfs: { type: "layers", diff_ids: [layerDigest] },
  };
}

function manifestOf(config: Blob, layer: Blob): object {
  return {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: config.digest,
      size: config.bytes.length,
    },
    layers: [
      {
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: layer.digest,
        size: layer.bytes.length,
      },
    ],
  };
}

function descriptorOf(manifest: Blob, image: ImageContent, name: string): object {
  return {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: manifest.digest,
    size: manifest.bytes.length,
    annotations: {
      "io.containerd.image.name": name,
      "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
    },
    platform: { architecture: image.architecture, os: "linux" },
  };
}

function blobOf(content: Uint8Array | object): Blob {
  const bytes =
    content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content));
  return { bytes, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}

/** A tar archive with fixed owner and times. */
async function tarOf(files: readonly ImageFile[]): Promise<Uint8Array> {
  const archive = pack();
  for (const { path, mode = 0o755, content, linkTarget } of files) {
    const header = { name: path, mode, mtime: epoch, uid: 0, gid: 0 };
    if (linkTarget !== undefined) {
      archive.entry({ ...header, type: "symlink", linkname: linkTarget });
    } else if (content === undefined) archive.entry({ ...header, type: "directory" });
    else archive.entry({ ...header, type: "file" }, Buffer.from(content));
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

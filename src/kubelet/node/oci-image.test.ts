import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { extract } from "tar-stream";
import { ociArchive } from "./oci-image.ts";

async function entriesOf(archive: Uint8Array): Promise<Map<string, Buffer>> {
  const reader = extract();
  reader.end(Buffer.from(archive));
  const entries = new Map<string, Buffer>();
  for await (const entry of reader) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    entries.set(entry.header.name.replace(/\/$/, ""), Buffer.concat(chunks));
  }
  return entries;
}

const image = {
  names: ["example.test/app:v1", "example.test/app:latest"],
  architecture: "amd64",
  files: [
    { path: "usr/bin/app", content: "program" },
    { path: "usr/bin/alias", linkTarget: "app" },
  ],
  entrypoint: ["/usr/bin/app"],
} as const;

test("ociArchive names every image and stores blobs under their digests", async () => {
  const entries = await entriesOf(await ociArchive([image]));
  const index = JSON.parse(String(entries.get("index.json"))) as {
    manifests: { digest: string; annotations: Record<string, string> }[];
  };
  assert.deepEqual(
    index.manifests.map(({ annotations }) => annotations["io.containerd.image.name"]),
    image.names,
  );
  for (const [name, bytes] of entries) {
    if (!name.startsWith("blobs/sha256/")) continue;
    assert.equal(name.slice(13), createHash("sha256").update(bytes).digest("hex"));
  }
  const manifest = JSON.parse(
    String(entries.get(`blobs/sha256/${index.manifests[0]?.digest.slice(7)}`)),
  ) as { layers: { digest: string }[] };
  const layer = entries.get(`blobs/sha256/${manifest.layers[0]?.digest.slice(7)}`);
  const files = [...(await entriesOf(layer ?? Buffer.alloc(0))).keys()];
  assert.deepEqual(files, ["usr", "usr/bin", "usr/bin/app", "usr/bin/alias"]);
});

test("ociArchive is reproducible", async () => {
  assert.deepEqual(await ociArchive([image]), await ociArchive([image]));
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { reasonOf } from "#apimachinery/status.ts";
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { systemProcesses } from "#base/os/processes.ts";
import type { ResourceClient } from "#client/client.ts";
import { repairEveryMs } from "#store/wal/pipeline.ts";
import { startTestServer } from "./server-fixture.ts";

const mountPoint = await mkdtemp(join(tmpdir(), "kubets-full-disk-"));
const mounted = await systemProcesses.run("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", mountPoint]);
const skip = mounted.code === 0 ? false : "no tmpfs can be mounted";

after(async () => {
  if (skip === false) await systemProcesses.run("umount", [mountPoint]);
  await rm(mountPoint, { recursive: true, force: true });
});

const mapOf = (name: string): ConfigMap => ({
  kind: "ConfigMap",
  apiVersion: "v1",
  metadata: { name, namespace: "default" },
  data: { text: "x".repeat(50_000) },
});

/** Creates until the disk is full; returns how many were created. */
async function fill(maps: ResourceClient<ConfigMap>): Promise<number> {
  for (let i = 0; ; i++) {
    try {
      await maps.create(mapOf(`m${i}`));
    } catch (error) {
      assert.equal(reasonOf(error), "InternalError");
      assert.match((error as Error).message, /store is read-only: .*ENOSPC/);
      return i;
    }
  }
}

test("a server on a full disk serves reads and watches, and takes writes again when there is room", { skip }, async () => {
  const ballast = join(mountPoint, "ballast");
  await systemFiles.write(ballast, Buffer.alloc(6 * 1024 * 1024));
  process.env["TMPDIR"] = mountPoint;
  await using server = await startTestServer({ storage: "durable" });
  const maps = (): ResourceClient<ConfigMap> => server.running.api.server.loopback.resource(configMaps);
  const created = await fill(maps());
  assert.ok(created > 20, `only ${created} writes`);
  const { items, resourceVersion } = await maps().list({ namespace: "default" });
  assert.equal(items.filter(({ metadata }) => metadata?.name?.startsWith("m")).length, created);
  const seen = Promise.withResolvers<string | undefined>();
  using _watch = maps().watch(
    { namespace: "default", resourceVersion },
    { onEvent: (event) => event.type !== "BOOKMARK" && seen.resolve(event.object.metadata?.name), onClosed: seen.reject },
  );
  await systemFiles.remove(ballast);
  await systemClock.sleep(2 * repairEveryMs);
  await maps().create(mapOf("after"));
  assert.equal(await seen.promise, "after");
  await server.restart();
  assert.equal((await maps().get("default/after")).metadata?.name, "after");
  assert.equal((await maps().get(`default/m${created - 1}`)).data?.["text"]?.length, 50_000);
});

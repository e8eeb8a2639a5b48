import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { isExpired } from "#apimachinery/status.ts";
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { listSnapshots, restoreSnapshot, revisionBumpDefault, saveSnapshot } from "#store/store-admin.ts";
import type { ResourceClient } from "#client/client.ts";
import { startTestServer } from "./server-fixture.ts";

const mapOf = (name: string): ConfigMap => ({ kind: "ConfigMap", apiVersion: "v1", metadata: { name, namespace: "default" } });
const files = systemFiles;

test("a snapshot of a running server brings its state back, and old watchers are told to list again", async () => {
  await using server = await startTestServer({ storage: "durable" });
  const maps = (): ResourceClient<ConfigMap> => server.running.api.server.loopback.resource(configMaps);
  const names = async (): Promise<string[]> => {
    const { items } = await maps().list({ namespace: "default" });
    return items.map(({ metadata }) => metadata?.name ?? "").filter((name) => name.startsWith("m"));
  };
  for (let i = 0; i < 50; i++) await maps().create(mapOf(`m${i}`));
  const directory = join(server.directory, "store");
  const snapshots = join(server.directory, "snapshots");
  await files.makeDirectory(snapshots);
  // Others write meanwhile.
  let written = 50;
  let writing = true;
  const writer = (async () => {
    while (writing) await maps().create(mapOf(`m${written++}`));
  })();
  const revision = await saveSnapshot({ files, directory, clock: systemClock, snapshotPath: join(snapshots, "one") }).finally(() => {
    writing = false;
    return writer;
  });
  const [listed] = await listSnapshots(files, snapshots);
  assert.deepEqual([listed?.name, listed?.header.revision, listed?.isWhole], ["one", revision, true]);

  await maps().create(mapOf("m-after"));
  await maps().delete("default/m0");
  const before = await maps().list({ namespace: "default" });
  await server.restart();
  await assert.rejects(restoreSnapshot({ files, snapshotPath: join(snapshots, "one"), directory }), /holds a store already/);
  await server.stop();
  await rename(directory, join(server.directory, "old-store"));
  const restored = await restoreSnapshot({ files, snapshotPath: join(snapshots, "one"), directory });
  assert.equal(restored, revision + revisionBumpDefault);
  await server.restart();
  const after = await names();
  assert.ok(after.includes("m0") && !after.includes("m-after") && after.length >= 50 && after.length <= written);

  const ended = Promise.withResolvers<unknown>();
  const resourceVersion = before.resourceVersion;
  using _watch = maps().watch({ namespace: "default", resourceVersion }, { onEvent() {}, onClosed: ended.resolve });
  assert.ok(isExpired(await ended.promise));
  const list = await maps().list({ namespace: "default" });
  assert.ok(Number(list.resourceVersion) >= revision + revisionBumpDefault);
  const seen = Promise.withResolvers<string>();
  using _next = maps().watch(
    { namespace: "default", resourceVersion: list.resourceVersion },
    {
      onEvent: (event) => event.type !== "BOOKMARK" && seen.resolve(`${event.type} ${event.object.metadata?.name}`),
      onClosed() {},
    },
  );
  await maps().create(mapOf("m-new"));
  assert.equal(await seen.promise, "ADDED m-new");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { startKubeletWorld } from "../testing/kubelet-world.ts";
import { rotateLogs } from "./log-rotation.ts";

test("rotateLogs keeps so many files of a log, the older ones compressed", async () => {
  const world = await startKubeletWorld();
  world.run("web", {});
  await world.settle();
  const { files } = world.world;
  const directory = "/var/log/pods/default_web_uid-web/main";
  const [container] = world.runtime.containers.values();
  assert.ok(container);
  container.status = { ...container.status, logPath: `${directory}/0.log` };
  world.kubelet.pods.wakeAll();
  const options = {
    manager: world.kubelet.pods,
    runtime: world.runtime.runtime,
    world: world.world,
    sizeMaxBytes: 10,
    filesMax: 4,
  };
  await files.write(`${directory}/0.log`, "short");
  await world.settle();
  await rotateLogs(options);
  assert.deepEqual(await files.list(directory), ["0.log"]);
  for (let i = 0; i < 6; i++) {
    await files.write(`${directory}/0.log`, `a long line ${i}`);
    await rotateLogs(options);
    await world.settle(1000);
  }
  const names = await files.list(directory);
  assert.equal(names.length, 3);
  assert.deepEqual(
    names.map((name) => name.endsWith(".gz")),
    [true, true, false],
  );
  const texts = await Promise.all(
    names.map(async (name) => {
      const bytes = await files.read(`${directory}/${name}`);
      return Buffer.from(name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
    }),
  );
  assert.deepEqual(texts, ["a long line 3", "a long line 4", "a long line 5"]);
  await world.lifetime.end();
});

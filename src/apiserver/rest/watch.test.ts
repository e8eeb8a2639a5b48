import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createMemoryStore } from "#store/memory.ts";
import { ApiTable } from "../api-table.ts";
import type { Call } from "../call.ts";
import { watch } from "./watch.ts";

const clock = createVirtualClock();

function setUp(): { table: ApiTable; open: (resourceVersion: string) => Promise<{ ended: string[] }> } {
  const table = new ApiTable(createMemoryStore({ clock, random: createVirtualRandom(1) }), clock);
  table.add([configMaps]);
  const endpoint = table.of(configMaps);
  return {
    table,
    async open(resourceVersion) {
      const ended: string[] = [];
      const call = { definition: configMaps, namespace: "", name: "", options: { resourceVersion } } as unknown as Call;
      const receiver = { onMessage: () => undefined, onEnd: (error?: Error) => void ended.push(error?.message ?? "quietly") };
      await watch(endpoint, call, { clock, receiver });
      return { ended };
    },
  };
}

test("watches end when their endpoint retires, and none begins after", async () => {
  const { table, open } = setUp();
  const before = await open("");
  assert.deepEqual(before.ended, []);
  table.retireAll();
  assert.deepEqual(before.ended, ["quietly"]);
  assert.deepEqual((await open("")).ended, ["quietly"]);
});

test("a watch that is refused leaves nothing behind", async () => {
  const { table, open } = setUp();
  await assert.rejects(open("abc"), /invalid syntax/);
  assert.deepEqual(getEventListeners(table.of(configMaps).retired, "abort"), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles, type VirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openDurableStore, type DurableStore } from "./durable.ts";
import { runStoreTests } from "./store-contract.ts";

runStoreTests({
  name: "durable",
  async open() {
    const clock = createVirtualClock();
    const files = createVirtualFiles({ clock });
    const random = createVirtualRandom(1);
    const store = await openDurableStore({ files, directory: "/data", clock, random });
    return {
      store,
      passSeconds: (seconds) => clock.advance(seconds * 1000),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import type { RuntimeImage } from "../cri/messages.ts";
import {
  evictionMessage,
  localStorageExcess,
  type PodConsumption,
  rankForEviction,
} from "./eviction-plan.ts";
import { imagesToRemove } from "./image-collection.ts";

function consumption(
  name: string,
  memoryMi: number,
  options: { request?: string; priority?: number } = {},
): PodConsumption {
  const memoryBytes = memoryMi << 20;
  const requests = options.request === undefined ? {} : { memory: options.request };
  const pod: Pod = {
    metadata: { name },
    spec: {
      priority: options.priority ?? 0,
      containers: [{ name: "main", resources: { requests } }],
    },
  };
  return {
    pod,
    memoryBytes,
    diskBytes: 0,
    containers: new Map([["main", { memoryBytes, diskBytes: 0 }]]),
  };
}

test("rankForEviction puts those over their request first, then low priority, then the greediest", () => {
  const ranked = rankForEviction("memory.available", [
    consumption("within", 500, { request: "600Mi" }),
    consumption("critical", 900, { priority: 2_000_001_000 }),
    consumption("over-low", 50, { priority: -1 }),
    consumption("over-some", 100),
    consumption("over-most", 200),
    consumption("over-high", 800, { priority: 10 }),
  ]);
  assert.deepEqual(
    ranked.map(({ pod }) => pod.metadata?.name),
    ["over-low", "over-most", "over-some", "over-high", "within"],
  );
});

test("evictionMessage is upstream's", () => {
  const state = {
    signal: "memory.available",
    availableBytes: 51_200 << 10,
    thresholdBytes: 100 << 20,
  } as const;
  assert.equal(
    evictionMessage(state, consumption("a", 200)),
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 51200Ki. " +
      "Container main was using 204800Ki, request is 0, has larger consumption of memory. ",
  );
});

test("localStorageExcess finds the limit that is exceeded", () => {
  const pod: Pod = {
    metadata: {},
    spec: {
      volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Mi" } }],
      containers: [{ name: "main", resources: { limits: { "ephemeral-storage": "2Mi" } } }],
    },
  };
  const use = (scratchMi: number, mainMi: number) => ({
    pod,
    emptyDirs: new Map([["scratch", scratchMi << 20]]),
    containers: new Map([["main", mainMi << 20]]),
  });
  assert.equal(localStorageExcess(use(1, 1)), undefined);
  assert.equal(
    localStorageExcess(use(2, 0)),
    'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ',
  );
  assert.equal(
    localStorageExcess(use(1, 2)),
    "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ",
  );
});

test("imagesToRemove takes the longest unused until the disk is below the low threshold", () => {
  const record = (
    id: string,
    lastUsedMs: number,
    options: { inUse?: boolean; firstSeenMs?: number } = {},
  ) => ({
    image: { id, size: 4, pinned: id === "pinned" } as RuntimeImage,
    firstSeenMs: options.firstSeenMs ?? 0,
    lastUsedMs,
    inUse: options.inUse ?? false,
  });
  const records = [
    record("used", 0, { inUse: true }),
    record("newer", 50),
    record("older", 10),
    record("fresh", 0, { firstSeenMs: 999_000 }),
    record("pinned", 0),
    record("newest", 60),
  ];
  const at = (availableBytes: number) =>
    imagesToRemove(records, { capacityBytes: 100, availableBytes, nowMs: 1_000_000 }).map(
      ({ id }) => id,
    );
  assert.deepEqual(at(20), []);
  assert.deepEqual(at(13), ["older", "newer"]);
  assert.deepEqual(at(5), ["older", "newer", "newest"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { encodeProto, wrapUnknown } from "#apimachinery/proto-codec.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "#store/memory.ts";
import { ResourceStorage } from "./storage.ts";

const pod: Pod = {
  kind: "Pod",
  apiVersion: "v1",
  metadata: { name: "a", namespace: "default", uid: "u", labels: { app: "x" } },
  spec: { containers: [{ name: "main", image: "i" }], nodeName: "n" },
};

/** As a kube-apiserver stores it. */
function protobufOf(object: KubeObject, apiVersion = "v1"): Uint8Array {
  return wrapUnknown({ apiVersion, kind: object.kind ?? "", raw: encodeProto(pods.schema, object) });
}

function open(definition = pods as ConstructorParameters<typeof ResourceStorage>[0]["definition"]): ResourceStorage {
  const clock = createVirtualClock();
  return new ResourceStorage({ store: createMemoryStore({ clock }), clock, definition });
}

test("what a kube-apiserver stored in protobuf is read, shown and written anew as JSON", async () => {
  const storage = open();
  const key = storage.keyOf("default", "a");
  await storage.store.txn({ compare: [], success: [{ op: "put", key, value: protobufOf(pod) }] });
  const found = (await storage.find(key)) ?? assert.fail();
  assert.equal((found.entry.object as Pod).spec?.nodeName, "n");
  assert.equal(found.entry.object.metadata?.resourceVersion, "2");
  const shown = JSON.parse(Buffer.from(found.entry.json(pods)).toString()) as Pod;
  assert.deepEqual([shown.kind, shown.metadata?.name, shown.metadata?.resourceVersion], ["Pod", "a", "2"]);
  assert.equal(shown.spec?.containers[0]?.image, "i");
  const value = await storage.encode(found.entry.object);
  const outcome = await storage.updateFrom(key, found, { dryRun: false, decision: { do: "write", value } });
  assert.equal(outcome?.entry.stored[0], 0x7b);
});

test("another kind or version than the one that is stored here is refused by name", async () => {
  for (const [storage, value, problem] of [
    [open(configMaps), protobufOf(pod), /stored as Pod of v1, which cannot be read as ConfigMap of v1/],
    [open(), protobufOf(pod, "v2"), /stored as Pod of v2, which cannot be read as Pod of v1/],
  ] as const) {
    const key = storage.keyOf("default", "a");
    await storage.store.txn({ compare: [], success: [{ op: "put", key, value }] });
    const found = (await storage.find(key)) ?? assert.fail();
    assert.throws(() => found.entry.object, problem);
  }
});

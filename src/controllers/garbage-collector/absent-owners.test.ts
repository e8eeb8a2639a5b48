import assert from "node:assert/strict";
import { test } from "node:test";
import { AbsentOwners } from "./absent-owners.ts";
import type { Identity } from "./graph.ts";

const identity = (change: Partial<Identity>): Identity => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  namespace: "a",
  name: "n",
  uid: "u",
  ...change,
});

test("AbsentOwners knows an owner in its place, in any version", () => {
  const absent = new AbsentOwners();
  absent.add(identity({}));
  assert.ok(absent.has(identity({ apiVersion: "apps/v1beta1" })));
  for (const other of [{ namespace: "b" }, { name: "m" }, { uid: "v" }, { kind: "Deployment" }, { apiVersion: "v1" }]) {
    assert.ok(!absent.has(identity(other)));
  }
});

test("AbsentOwners forgets the oldest of many", () => {
  const absent = new AbsentOwners();
  for (let i = 0; i <= 500; i++) absent.add(identity({ uid: `u${i}` }));
  assert.ok(!absent.has(identity({ uid: "u0" })));
  assert.ok(absent.has(identity({ uid: "u1" })));
  assert.ok(absent.has(identity({ uid: "u500" })));
});

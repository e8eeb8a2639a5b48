import assert from "node:assert/strict";
import { test } from "node:test";
import { Lifetime } from "./lifetime.ts";

test("end aborts the signal, then runs cleanups once, last first", async () => {
  const lifetime = new Lifetime("server");
  const seen: string[] = [];
  lifetime.signal.addEventListener("abort", () => seen.push("abort"));
  lifetime.defer(() => void seen.push("first"));
  lifetime.defer(async () => {
    await Promise.resolve();
    seen.push("second");
  });
  lifetime.use({ [Symbol.dispose]: () => void seen.push("disposed") });
  lifetime.use({ [Symbol.asyncDispose]: async () => void seen.push("async disposed") });
  await Promise.all([lifetime.end(), lifetime.end(), lifetime[Symbol.asyncDispose]()]);
  assert.deepEqual(seen, ["abort", "async disposed", "disposed", "second", "first"]);
  assert.equal(lifetime.ended, true);
});

test("the signal's reason is an AbortError that names the lifetime", async () => {
  const lifetime = new Lifetime("server");
  await lifetime.end();
  const reason: unknown = lifetime.signal.reason;
  assert.ok(reason instanceof DOMException);
  assert.deepEqual([reason.name, reason.message], ["AbortError", "server ended"]);
});

test("adding to an ended lifetime cleans up at once", async () => {
  const lifetime = new Lifetime("server");
  await lifetime.end();
  let cleanedUp = 0;
  lifetime.defer(() => void cleanedUp++);
  lifetime.use({ [Symbol.dispose]: () => void cleanedUp++ });
  assert.equal(cleanedUp, 2);
});

test("a child ends with its parent, before what the parent owned earlier", async () => {
  const parent = new Lifetime("server");
  const seen: string[] = [];
  parent.defer(() => void seen.push("parent"));
  const child = parent.child("watch");
  child.defer(() => void seen.push("child"));
  assert.equal(child.name, "server/watch");
  await parent.end();
  assert.deepEqual(seen, ["child", "parent"]);
  assert.equal(child.signal.aborted, true);
});

test("a child may end first; the parent goes on, and does not end it again", async () => {
  const parent = new Lifetime("server");
  const child = parent.child("watch");
  await child.end();
  assert.equal(parent.signal.aborted, false);
  let ends = 0;
  child.end = () => {
    ends++;
    return Promise.resolve();
  };
  await parent.end();
  assert.equal(ends, 0);
});

test("end called from an abort listener waits for the one that runs", async () => {
  const lifetime = new Lifetime("server");
  const seen: string[] = [];
  lifetime.signal.addEventListener("abort", () => {
    void lifetime.end().then(() => seen.push("waited"));
  });
  lifetime.defer(async () => {
    await Promise.resolve();
    seen.push("cleaned");
  });
  await lifetime.end();
  assert.deepEqual(seen, ["cleaned", "waited"]);
});

test("every cleanup runs although one fails; end rejects with the first error", async () => {
  const lifetime = new Lifetime("server");
  const seen: string[] = [];
  lifetime.defer(() => void seen.push("first"));
  lifetime.defer(() => Promise.reject(new Error("later failure")));
  lifetime.defer(() => {
    throw new Error("first failure");
  });
  await assert.rejects(lifetime.end(), /first failure/);
  assert.deepEqual(seen, ["first"]);
});

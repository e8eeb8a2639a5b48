import assert from "node:assert/strict";
import { at, edited, type Objects, Refused, refused, type Watch } from "./api.ts";
import type { Thing } from "./encoding.ts";
import type { World } from "./scenario.ts";

/** The steps that the suite's "should support X API operations" tests have in common. */

/** The group, its version and its resources stand in the three documents of discovery. */
export async function discovered(
  { api }: World,
  spec: { readonly group: string; readonly version?: string; readonly resources: readonly string[] },
): Promise<void> {
  const { group, version = "v1", resources } = spec;
  const { groups } = (await api.get("/apis")) as {
    groups?: readonly { name: string; versions: readonly { version: string }[] }[];
  };
  const found = groups?.find(({ name }) => name === group);
  assert.ok(
    found?.versions.some((one) => one.version === version),
    `/apis has ${group}/${version}`,
  );
  const { versions } = (await api.get(`/apis/${group}`)) as { versions?: readonly { version: string }[] };
  assert.ok(
    versions?.some((one) => one.version === version),
    `/apis/${group} has ${version}`,
  );
  const document = await api.get(`/apis/${group}/${version}`);
  const names = (document["resources"] as { name: string }[]).map(({ name }) => name);
  for (const resource of resources) assert.ok(names.includes(resource), `${group}/${version} has ${resource}`);
}

export interface Operations {
  readonly objects: Objects;
  /** The kind across namespaces, where it has them. */
  readonly everywhere?: Objects;
  /** Finds the objects of this scenario. */
  readonly selection: Readonly<Record<string, string>>;
  readonly objectsOf: readonly object[];
}

/**
 * Creates the objects, gets the last, lists them all, and changes the last by patch and update
 * while it is watched. Returns its last state.
 */
export async function createAndChange({ objects, everywhere, selection, objectsOf }: Operations): Promise<Thing> {
  let created: Thing | undefined;
  for (const object of objectsOf) created = await objects.create(object);
  assert.ok(created);
  const name = created.metadata.name ?? "";
  const gotten = await objects.get(name);
  assert.equal(gotten.metadata.uid, created.metadata.uid);
  const listed = await objects.list(selection);
  assert.equal(listed.items.length, objectsOf.length);
  const resourceVersion = listed.metadata.resourceVersion;
  using watch = await objects.watch({ ...selection, resourceVersion });
  if (everywhere !== undefined) assert.equal((await everywhere.list(selection)).items.length, objectsOf.length);
  using wide = await (everywhere ?? objects).watch({ ...selection, resourceVersion });
  // A watch from no version shows what is there first.
  using fresh = await (everywhere ?? objects).watch(selection);
  for (let i = 0; i < objectsOf.length; i++) assert.equal((await fresh.next()).type, "ADDED");
  const patched = await objects.patch(name, { type: "merge", body: { metadata: { annotations: { patched: "true" } } } });
  assert.equal(patched.metadata.annotations?.["patched"], "true");
  assert.ok(Number(patched.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
  const updated = await change(objects, name, { metadata: { annotations: { updated: "true" } } });
  assert.equal(updated.metadata.annotations?.["updated"], "true");
  for (const one of [watch, wide, fresh]) await seesBoth(one, [patched, updated]);
  return updated;
}

/** Both states come through a watch, in this order; what controllers change meanwhile may too. */
async function seesBoth(watch: Watch, states: readonly Thing[]): Promise<void> {
  for (const state of states) {
    const events = await watch.until(({ object }) => object.metadata.resourceVersion === state.metadata.resourceVersion);
    assert.ok(events.every(({ type }) => type === "MODIFIED"));
    assert.deepEqual(events.at(-1)?.object, state);
  }
}

/** PUT of the newest state with what `patch` changes, again if another write comes between. */
export async function change(
  objects: Objects,
  name: string,
  patch: object | ((old: Thing) => object),
  subresource?: string,
): Promise<Thing> {
  for (;;) {
    const old = await objects.get(name, subresource);
    try {
      return await objects.update(edited(old, typeof patch === "function" ? patch(old) : patch), subresource);
    } catch (error) {
      if (!(error instanceof Refused) || error.status.reason !== "Conflict") throw error;
    }
  }
}

export interface StatusChange {
  /** Merged by patch; the answer has it. */
  readonly patch: object;
  /** Merged into the newest status, and put; a condition is added to those that are there. */
  readonly update: { readonly condition: Condition } | { readonly status: object };
  readonly subresource?: string;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message?: string;
}

/** Patches, updates and gets the status of an object. Returns its last state. */
export async function changeStatus(objects: Objects, name: string, spec: StatusChange): Promise<Thing> {
  const { patch, update, subresource = "status" } = spec;
  const annotation = `patched${subresource}`;
  const body = { metadata: { annotations: { [annotation]: "true" } }, status: patch };
  const patched = await objects.patch(name, { type: "merge", body, subresource });
  assert.equal(patched.metadata.annotations?.[annotation], "true");
  contains(patched["status"], patch);
  let wanted: object = {};
  const updated = await change(
    objects,
    name,
    (old) => {
      const conditions = (at(old, "status", "conditions") ?? []) as object[];
      wanted = "status" in update ? update.status : { conditions: [...conditions, update.condition] };
      return { status: wanted };
    },
    subresource,
  );
  contains(updated["status"], wanted);
  const gotten = await objects.get(name, subresource);
  assert.equal(gotten.metadata.uid, patched.metadata.uid);
  assert.deepEqual([gotten.kind, gotten.apiVersion], [patched.kind, patched.apiVersion]);
  contains(gotten["status"], "status" in update ? update.status : {});
  return updated;
}

/** Checks that whatever `part` has is in `whole`; lists match item by item. */
export function contains(whole: unknown, part: unknown): void {
  if (part === null || typeof part !== "object") {
    assert.deepEqual(whole, part);
    return;
  }
  if (Array.isArray(part)) assert.equal((whole as unknown[] | undefined)?.length, part.length);
  for (const [key, value] of Object.entries(part)) contains(at(whole, key), value);
}

/** Deletes the named object, then by a collection what is left of the selection. */
export async function removeAll({ objects, selection, objectsOf }: Operations, name: string): Promise<void> {
  await objects.delete(name);
  await refused(objects.get(name), 404);
  assert.equal((await objects.list(selection)).items.length, objectsOf.length - 1);
  await objects.deleteAll(selection);
  assert.equal((await objects.list(selection)).items.length, 0);
}

import assert from "node:assert/strict";
import { edited, namesOf, type Objects, type PatchKind, refused, type Watch } from "./api.ts";
import type { Thing } from "./encoding.ts";
import { contains } from "./operations.ts";
import { area, scenario, type World } from "./scenario.ts";

const group = "resource.k8s.io/v1";

/** How one kind is tried: what is created, and what changes it as a merge. */
interface Case {
  readonly plural: string;
  readonly namespaced: boolean;
  readonly initial: object;
  readonly update: object;
  readonly status?: object;
}

const label = "e2e-test.kubernetes.io";
const patchKinds: readonly PatchKind[] = ["strategic", "apply", "merge", "json"];

/** The same change as a body of each kind of patch. */
function patchBody(kind: PatchKind, object: Thing, change: object): unknown {
  if (kind === "json") return operationsOf(change, "");
  const { name, namespace, uid } = object.metadata;
  const identity = { kind: object.kind, apiVersion: object.apiVersion, metadata: { name, ...(namespace && { namespace }), uid } };
  return edited(identity as Thing, change);
}

/** These are there already; everything else is added whole. */
const present = ["/metadata", "/metadata/labels", "/spec"];

function operationsOf(change: object, path: string): object[] {
  return Object.entries(change).flatMap(([key, value]) =>
    present.includes(`${path}/${key}`)
      ? operationsOf(value as object, `${path}/${key}`)
      : [{ op: "add", path: `${path}/${key}`, value }],
  );
}

async function sees(watch: Watch, type: string, object?: Thing): Promise<void> {
  const event = await watch.next();
  assert.equal(event.type, type);
  if (object !== undefined) assert.deepEqual(event.object, object);
}

/** Create, read, update, patch in all ways, delete; each step is seen by watches. Source: e2e/framework/conformance. */
async function supportsCrud(world: World, spec: Case): Promise<void> {
  const { own, all, api, unique } = world;
  const document = await api.get(`/apis/${group}`);
  assert.ok((document["resources"] as { name: string }[]).some(({ name }) => name === spec.plural));
  const objects = spec.namespaced ? own(group, spec.plural) : all(group, spec.plural);
  const selection = { labelSelector: `${label}=${unique}` };
  const name = spec.namespaced ? "test" : `test-${unique}`;
  const initial = edited({ metadata: { name, labels: { [label]: unique } } }, spec.initial);
  const { metadata } = await objects.list(selection);
  using watch = await objects.watch({ ...selection, resourceVersion: metadata.resourceVersion });
  using wide = await all(group, spec.plural).watch({ ...selection, resourceVersion: metadata.resourceVersion });
  const steps: (readonly [string, Thing?])[] = [];

  const created = await objects.create(initial, { fieldValidation: "Strict" });
  steps.push(["ADDED", created]);
  contains(created, initial);
  assert.deepEqual(await objects.get(name), created);
  const updated = await objects.update(edited(created, spec.update));
  steps.push(["MODIFIED", updated]);
  contains(updated, spec.update);
  assert.ok(Number(updated.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
  if (spec.status !== undefined) {
    const reported = await objects.update(edited(updated, { status: spec.status }), "status");
    steps.push(["MODIFIED", reported]);
    contains(reported, { status: spec.status, ...spec.update });
    assert.deepEqual(await objects.get(name, "status"), reported);
  }
  for (const subresource of spec.status === undefined ? [undefined] : [undefined, "status"]) {
    for (const kind of patchKinds)
      steps.push(...(await patchedAnew(objects, { name, initial, kind, spec, ...(subresource && { subresource }) })));
  }
  assert.deepEqual(namesOf(await objects.list(selection)), [name]);
  assert.deepEqual(namesOf(await all(group, spec.plural).list(selection)), [name]);
  await objects.deleteAll(selection);
  steps.push(["DELETED"]);
  await refused(objects.get(name), 404);
  for (const one of [watch, wide]) for (const [type, object] of steps) await sees(one, type, object);
}

interface Anew {
  readonly name: string;
  readonly initial: Thing;
  readonly kind: PatchKind;
  readonly spec: Case;
  readonly subresource?: string;
}

/** Deletes the object, makes it again, and patches it; its status once it is updated. */
async function patchedAnew(
  objects: Objects,
  { name, initial, kind, spec, subresource }: Anew,
): Promise<(readonly [string, Thing?])[]> {
  await objects.delete(name);
  await refused(objects.get(name), 404);
  const created = await objects.create(initial);
  const steps: (readonly [string, Thing?])[] = [["DELETED"], ["ADDED", created]];
  if (subresource !== undefined) steps.push(["MODIFIED", await objects.update(edited(created, spec.update))]);
  const change = subresource === undefined ? spec.update : { status: spec.status };
  const query = { fieldValidation: "Strict", ...(kind === "apply" && { fieldManager: "test-apply", force: true }) };
  const patched = await objects.patch(name, {
    type: kind,
    body: patchBody(kind, created, change),
    query,
    ...(subresource !== undefined && { subresource }),
  });
  contains(patched, change);
  assert.equal(patched.metadata.uid, created.metadata.uid);
  return [...steps, ["MODIFIED", patched]];
}

const relabelled = { metadata: { labels: { foo: "bar" } } };
const claim = { devices: { requests: [{ name: "req-0", exactly: { deviceClassName: "some-class" } }] } };

area("[sig-node] [DRA] CRUD Tests", () => {
  scenario(
    "resource.k8s.io/v1 DeviceClass",
    (world) =>
      supportsCrud(world, {
        plural: "deviceclasses",
        namespaced: false,
        initial: { spec: { selectors: [{ cel: { expression: 'device.driver == "dra.example.com"' } }] } },
        update: { spec: { selectors: [{ cel: { expression: 'device.driver == "other.example.com"' } }] } },
      }),
    ["json"],
  );

  scenario(
    "resource.k8s.io/v1 ResourceClaim",
    (world) =>
      supportsCrud(world, {
        plural: "resourceclaims",
        namespaced: true,
        initial: { spec: claim },
        update: relabelled,
        status: {
          allocation: {
            devices: { results: [{ request: "req-0", driver: "dra.example.com", pool: "some-pool", device: "some-device" }] },
          },
        },
      }),
    ["json"],
  );

  scenario(
    "resource.k8s.io/v1 ResourceClaimTemplate",
    (world) =>
      supportsCrud(world, {
        plural: "resourceclaimtemplates",
        namespaced: true,
        initial: { spec: { spec: claim } },
        update: relabelled,
      }),
    ["json"],
  );

  scenario(
    "resource.k8s.io/v1 ResourceSlice",
    (world) =>
      supportsCrud(world, {
        plural: "resourceslices",
        namespaced: false,
        initial: {
          spec: {
            nodeName: "some-node",
            driver: "dra.example.com",
            pool: { name: "some-pool", generation: 1, resourceSliceCount: 1 },
            devices: [{ name: "device-0" }],
          },
        },
        update: { spec: { devices: [{ name: "device-0" }, { name: "device-1" }] } },
      }),
    ["json"],
  );
});

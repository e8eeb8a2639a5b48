import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { deployments } from "#api/apps/v1/deployment.ts";
import { ObjectMeta } from "#apimachinery/meta/object-meta.ts";
import { defineResource, type ResourceDefinition } from "#apimachinery/resource.ts";
import { kind, req } from "#apimachinery/schema.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createMemoryStore } from "#store/memory.ts";
import { ApiTable } from "../api-table.ts";
import { createDiscovery } from "./discovery.ts";
import type { RemoteVersion } from "./remote-groups.ts";

const clock = createVirtualClock();
const views = ["get", "patch", "update"] as const;

function custom(group: string, version: string, traits: { terminating?: boolean; stored?: string } = {}): ResourceDefinition {
  return defineResource({
    group,
    version,
    kind: "CronTab",
    plural: "crontabs",
    scope: "Namespaced",
    schema: kind(`${group}.${version}.CronTab`, { metadata: req(1, ObjectMeta) }),
    storage: { prefix: `${group}/crontabs/${version}`, version: traits.stored ?? version },
    subresources: {
      status: { verbs: views },
      scale: { verbs: views, kind: { group: "autoscaling", version: "v1", kind: "Scale" } },
    },
    custom: { preserveUnknownFields: false, structural: {}, terminating: traits.terminating === true },
  });
}

function remote(group: string, version: string, more: Partial<RemoteVersion> = {}): RemoteVersion {
  return { group, version, groupPriority: 2000, versionPriority: 15, resources: [{ resource: "things" }], isFresh: true, ...more };
}

function discoveryOf(definitions: readonly ResourceDefinition[], remotes: readonly RemoteVersion[] = []): ReturnType<typeof createDiscovery> {
  const table = new ApiTable(createMemoryStore({ clock, random: createVirtualRandom(1) }), clock);
  for (const definition of definitions) table.add([definition]);
  return createDiscovery(table, { generation: 1, versions: () => remotes });
}

interface Item {
  readonly metadata: { readonly name: string };
  readonly versions: readonly { readonly version: string; readonly freshness: string; readonly resources?: readonly object[] }[];
}

function itemsOf(discovery: ReturnType<typeof createDiscovery>): readonly Item[] {
  return (discovery.aggregated(false).document as { items: readonly Item[] }).items;
}

test("groups and versions stand in the order of their priorities, whoever serves them", () => {
  const discovery = discoveryOf(
    [configMaps, custom("b.example.com", "v1"), custom("a.example.com", "v1beta1"), custom("a.example.com", "v1"), deployments],
    [
      remote("first.example.com", "v1", { groupPriority: 17900 }),
      remote("last.example.com", "v1", { groupPriority: 100 }),
      remote("middle.example.com", "v1alpha1"),
      remote("middle.example.com", "v1beta1"),
      remote("middle.example.com", "v2alpha1", { versionPriority: 20 }),
      remote("b.example.com", "v2", { groupPriority: 500, versionPriority: 200 }),
    ],
  );
  const order = [
    ["first.example.com", ["v1"]],
    ["apps", ["v1"]],
    ["middle.example.com", ["v2alpha1", "v1beta1", "v1alpha1"]],
    ["a.example.com", ["v1", "v1beta1"]],
    ["b.example.com", ["v2", "v1"]],
    ["last.example.com", ["v1"]],
  ];
  assert.deepEqual(itemsOf(discovery).map(({ metadata, versions }) => [metadata.name, versions.map(({ version }) => version)]), order);
  const { groups } = discovery.groupList() as { groups: { name: string; versions: { version: string }[] }[] };
  assert.deepEqual(groups.map(({ name, versions }) => [name, versions.map(({ version }) => version)]), order);
  assert.deepEqual(discovery.group("b.example.com"), {
    kind: "APIGroup",
    apiVersion: "v1",
    name: "b.example.com",
    versions: [{ groupVersion: "b.example.com/v2", version: "v2" }, { groupVersion: "b.example.com/v1", version: "v1" }],
    preferredVersion: { groupVersion: "b.example.com/v2", version: "v2" },
  });
});

test("a version whose server does not tell is stale and has no resources", () => {
  const remotes = [remote("a.example.com", "v1"), remote("b.example.com", "v1", { isFresh: false, resources: [] })];
  const shown = itemsOf(discoveryOf([], remotes)).map(({ versions }) => versions);
  assert.deepEqual(shown, [
    [{ version: "v1", resources: [{ resource: "things" }], freshness: "Current" }],
    [{ version: "v1", freshness: "Stale" }],
  ]);
});

test("another server's word counts for a version that both serve", () => {
  const [item] = itemsOf(discoveryOf([custom("a.example.com", "v1")], [remote("a.example.com", "v1")]));
  assert.deepEqual(item?.versions, [{ version: "v1", resources: [{ resource: "things" }], freshness: "Current" }]);
});

test("custom resources are told of with their whole kind, status before scale", () => {
  const [item] = itemsOf(discoveryOf([custom("a.example.com", "v1")]));
  const own = { group: "a.example.com", version: "v1", kind: "CronTab" };
  const scale = { group: "autoscaling", version: "v1", kind: "Scale" };
  const [resource] = (item?.versions[0]?.resources ?? []) as { responseKind: object; subresources: object[] }[];
  assert.ok(resource !== undefined);
  assert.deepEqual(resource.responseKind, own);
  assert.deepEqual(resource.subresources, [
    { subresource: "status", responseKind: own, verbs: views },
    { subresource: "scale", responseKind: scale, verbs: views },
  ]);
});

test("of a definition that goes away no verbs of creating and changing are told", () => {
  const discovery = discoveryOf([custom("a.example.com", "v1", { terminating: true })]);
  const verbs = ["delete", "deletecollection", "get", "list", "watch"];
  const [resource] = (itemsOf(discovery)[0]?.versions[0]?.resources ?? []) as { verbs: string[] }[];
  const { resources } = discovery.resourceList("a.example.com", "v1") as { resources: { name: string; verbs: string[] }[] };
  assert.deepEqual([resource?.verbs, resources.find(({ name }) => name === "crontabs")?.verbs], [verbs, verbs]);
});

test("the hash of a stored version is told while that version is served", () => {
  const hashOf = (...definitions: ResourceDefinition[]): unknown => {
    const { resources } = discoveryOf(definitions).resourceList("a.example.com", "v1") as { resources: Record<string, unknown>[] };
    return resources.find(({ name }) => name === "crontabs")?.["storageVersionHash"];
  };
  assert.match(String(hashOf(custom("a.example.com", "v1"))), /^.{11}=$/);
  assert.equal(hashOf(custom("a.example.com", "v1", { stored: "v2" })), undefined);
  const both = hashOf(custom("a.example.com", "v1", { stored: "v2" }), custom("a.example.com", "v2"));
  assert.match(String(both), /^.{11}=$/);
});

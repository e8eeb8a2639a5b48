import { createHash } from "node:crypto";
import { apiVersionOf } from "#apimachinery/object.ts";
import type { ResourceDefinition, Verb } from "#apimachinery/resource.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import type { ApiTable } from "../api-table.ts";
import { type Groups, groupsOf, type VersionEntry } from "./groups.ts";
import { noRemoteGroups, type RemoteGroups } from "./remote-groups.ts";

/**
 * Discovery documents, made from what is served and kept until that changes. JSON shapes are those
 * of `meta/v1` (unaggregated) and `apidiscovery.k8s.io` (aggregated).
 */
export interface Discovery {
  /** `/api`. */
  coreVersions(serverAddress: string): object;
  /** `/apis`. */
  groupList(): object;
  /** `/apis/GROUP`; undefined when the group is not served. */
  group(name: string): object | undefined;
  /** `/api/v1`, `/apis/GROUP/VERSION`. */
  resourceList(group: string, version: string): object | undefined;
  /** Aggregated form of `/api` (core) or `/apis`, with its ETag. */
  aggregated(core: boolean): { readonly document: object; readonly etag: string };
}

export function createDiscovery(table: ApiTable, remotes: RemoteGroups = noRemoteGroups): Discovery {
  let generation = "";
  let cache = new Map<string, unknown>();

  function cached<T>(key: string, make: () => T): T {
    const current = `${table.generation}/${remotes.generation}`;
    if (generation !== current) {
      generation = current;
      cache = new Map();
    }
    if (!cache.has(key)) cache.set(key, make());
    return cache.get(key) as T;
  }

  const groups = (): Groups => cached("groups", () => groupsOf(table, remotes));
  return {
    coreVersions: (serverAddress) => ({
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
    }),
    groupList: () =>
      cached("list", () => ({
        kind: "APIGroupList",
        apiVersion: "v1",
        groups: named(groups()).map(([name, versions]) => groupDocument(name, versions)),
      })),
    group(name) {
      const found = name === "" ? undefined : groups().get(name);
      return found && { kind: "APIGroup", apiVersion: "v1", ...groupDocument(name, found) };
    },
    resourceList(group, version) {
      const found = groups().get(group)?.find((one) => one.version === version)?.local;
      return found && cached(`resources ${group}/${version}`, () => resourceListOf(table, { group, version }, found));
    },
    aggregated: (core) => cached(`aggregated ${core}`, () => aggregatedOf(groups(), core)),
  };
}

/** All but the core group. */
function named(groups: Groups): [name: string, versions: readonly VersionEntry[]][] {
  return [...groups].filter(([name]) => name !== "");
}

function groupDocument(name: string, versions: readonly VersionEntry[]): object {
  const list = versions.map(({ version }) => ({ groupVersion: apiVersionOf(name, version), version }));
  return { name, versions: list, preferredVersion: list[0] };
}

/** A subresource's own kind, where it belongs to another group version than the resource. */
function foreignKind(
  { group, version }: ResourceDefinition,
  own: { group: string; version: string; kind: string } | undefined,
): { group: string; version: string } | undefined {
  return own === undefined || (own.group === group && own.version === version) ? undefined : own;
}

function resourceListOf(
  table: ApiTable,
  { group, version }: { group: string; version: string },
  definitions: readonly ResourceDefinition[],
): object {
  const resources = definitions.flatMap((definition) => [
    resourceDocument(definition, table),
    ...Object.entries(definition.subresources).map(([name, subresource]) => ({
      name: `${definition.plural}/${name}`,
      singularName: "",
      namespaced: definition.scope === "Namespaced",
      ...foreignKind(definition, subresource.kind),
      kind: subresource.kind?.kind ?? definition.kind,
      verbs: subresource.verbs,
    })),
  ]);
  return {
    kind: "APIResourceList",
    ...(group !== "" && { apiVersion: "v1" }),
    groupVersion: apiVersionOf(group, version),
    resources: resources.toSorted((a, b) => compareBytes(a.name, b.name)).map(orderResource),
  };
}

interface ResourceDocument {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

function resourceDocument(definition: ResourceDefinition, table: ApiTable): ResourceDocument {
  return {
    name: definition.plural,
    singularName: definition.singular,
    namespaced: definition.scope === "Namespaced",
    kind: definition.kind,
    verbs: verbsOf(definition),
    ...(definition.shortNames.length > 0 && { shortNames: definition.shortNames }),
    ...(definition.categories.length > 0 && { categories: definition.categories }),
    ...(isStored(definition, table) && { storageVersionHash: storageVersionHash(table.of(definition).hub) }),
  };
}

/** Told of a custom resource whose definition goes away, in this order. */
const terminatingVerbs: readonly Verb[] = ["delete", "deletecollection", "get", "list", "watch"];

function verbsOf({ verbs, custom }: ResourceDefinition): readonly Verb[] {
  return custom?.terminating === true ? terminatingVerbs : verbs;
}

/** The stored version of a custom resource is told of only while it is served. */
function isStored({ group, plural, handler, verbs, storage, custom }: ResourceDefinition, table: ApiTable): boolean {
  if (custom !== undefined) return table.find(group, storage.version, plural) !== undefined;
  return handler === undefined && verbs.includes("list");
}

/** Kinds that upstream books under another version than the one it stores them in. */
const bookedVersions: Readonly<Record<string, string>> = { CustomResourceDefinition: "v1beta1" };

/** First 8 bytes of SHA-256 of `group/version/kind` of what is stored, base64. */
function storageVersionHash({ group, kind, storage, custom }: ResourceDefinition): string {
  const version = (custom === undefined ? bookedVersions[kind] : undefined) ?? storage.version;
  const digest = createHash("sha256").update(`${group}/${version}/${kind}`).digest();
  return digest.subarray(0, 8).toString("base64");
}

function orderResource(document: ResourceDocument): object {
  const { name, singularName, namespaced, group, version, kind, verbs, ...rest } = document;
  return {
    name,
    singularName,
    namespaced,
    ...(group && { group }),
    ...(version && { version }),
    kind,
    verbs,
    ...rest,
  };
}

function aggregatedOf(groups: Groups, core: boolean): { document: object; etag: string } {
  const shown = core ? [...groups].filter(([name]) => name === "") : named(groups);
  const document = {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: shown.map(([name, versions]) => ({
      metadata: name === "" ? {} : { name },
      versions: versions.map(discoveryOf),
    })),
  };
  const etag = createHash("sha512").update(JSON.stringify(document)).digest("hex").toUpperCase();
  return { document, etag: `"${etag}"` };
}

function discoveryOf({ version, local = [], remote }: VersionEntry): object {
  const own = (): object[] => local.toSorted((a, b) => compareBytes(a.plural, b.plural)).map(aggregatedResource);
  const resources = remote?.resources ?? own();
  return {
    version,
    ...(resources.length > 0 && { resources }),
    freshness: remote?.isFresh === false ? "Stale" : "Current",
  };
}

/** Kinds in aggregated discovery: those of custom resources are told whole. */
function responseKindOf(
  definition: ResourceDefinition,
  own: { group: string; version: string; kind: string } | undefined,
): object {
  const { group, version, kind, custom } = definition;
  if (custom !== undefined) return own ?? { group, version, kind };
  return { group: "", version: "", ...foreignKind(definition, own), kind: own?.kind ?? kind };
}

function aggregatedResource(definition: ResourceDefinition): object {
  const declared = Object.entries(definition.subresources);
  const subresources = definition.custom === undefined ? declared.toSorted(([a], [b]) => compareBytes(a, b)) : declared;
  return {
    resource: definition.plural,
    responseKind: responseKindOf(definition, undefined),
    scope: definition.scope,
    singularResource: definition.singular,
    verbs: verbsOf(definition),
    ...(definition.shortNames.length > 0 && { shortNames: definition.shortNames }),
    ...(definition.categories.length > 0 && { categories: definition.categories }),
    ...(subresources.length > 0 && {
      subresources: subresources.map(([subresource, { kind: own, verbs }]) => ({
        subresource,
        responseKind: responseKindOf(definition, own),
        verbs,
      })),
    }),
  };
}

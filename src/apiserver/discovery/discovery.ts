import { createHash } from "node:crypto";
import { apiVersionOf } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import type { ApiTable } from "../api-table.ts";
import {
  insertRemote,
  noRemoteGroups,
  remoteDiscoveryItem,
  remoteGroupDocument,
  type RemoteGroups,
  remoteGroupsOf,
} from "./remote-groups.ts";

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

/** Group and version order, before custom groups: upstream's priorities (kube-aggregator). */
const groupPriority: readonly string[] = [
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "resource.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "storagemigration.k8s.io",
];

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

  const groups = (): Groups => cached("groups", () => groupsOf(table));
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
        groups: withRemotes(groups(), remotes, (name, found) => groupDocument(name, found), remoteGroupDocument),
      })),
    group(name) {
      const found = groups().get(name);
      const remote = remoteGroupsOf(remotes).find((group) => group.name === name);
      const document = found ? groupDocument(name, found) : remote && remoteGroupDocument(remote);
      return document && { kind: "APIGroup", apiVersion: "v1", ...document };
    },
    resourceList(group, version) {
      const found = groups().get(group)?.get(version);
      return found && cached(`resources ${group}/${version}`, () => resourceListOf(table, { group, version }, found));
    },
    aggregated: (core) => cached(`aggregated ${core}`, () => aggregatedOf(groups(), core, remotes)),
  };
}

/** Documents of local groups and of remote ones that have no local version. */
function withRemotes<T>(
  groups: Groups,
  remotes: RemoteGroups,
  local: (name: string, versions: ReadonlyMap<string, readonly ResourceDefinition[]>) => T,
  remote: Parameters<typeof insertRemote<T>>[2]["document"],
): T[] {
  const named = [...groups].filter(([name]) => name !== "");
  const builtInCount = named.filter(([name]) => groupPriority.includes(name)).length;
  const others: RemoteGroups = {
    generation: remotes.generation,
    versions: () => remotes.versions().filter(({ group }) => !groups.has(group)),
  };
  const documents = named.map(([name, versions]) => local(name, versions));
  return insertRemote(documents, builtInCount, { remotes: others, document: remote });
}

/** group -> version -> definitions, both in priority order. */
type Groups = ReadonlyMap<string, ReadonlyMap<string, readonly ResourceDefinition[]>>;

function groupsOf(table: ApiTable): Groups {
  const found = new Map<string, Map<string, ResourceDefinition[]>>();
  for (const { definition } of table.endpoints()) {
    const versions = found.get(definition.group) ?? new Map<string, ResourceDefinition[]>();
    found.set(definition.group, versions);
    const list = versions.get(definition.version) ?? [];
    versions.set(definition.version, [...list, definition]);
  }
  const rank = (name: string): number => {
    const at = groupPriority.indexOf(name);
    return at < 0 ? groupPriority.length : at;
  };
  const sorted = [...found].toSorted(([a], [b]) => rank(a) - rank(b) || compareBytes(a, b));
  return new Map(sorted.map(([name, versions]) => [name, sortVersions(versions)]));
}

function sortVersions<T>(versions: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...versions].toSorted(([a], [b]) => compareVersions(b, a)));
}

/** Kubernetes' version order: GA over beta over alpha, then by number; others by text, last. */
export function compareVersions(a: string, b: string): number {
  const x = versionRank(a);
  const y = versionRank(b);
  if (x === undefined || y === undefined) {
    if (x === y) return compareBytes(b, a);
    return x === undefined ? -1 : 1;
  }
  for (const [i, value] of x.entries()) {
    const difference = value - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionRank(version: string): number[] | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return undefined;
  const stage = match[2] === undefined ? 2 : match[2] === "beta" ? 1 : 0;
  return [stage, Number(match[1]), Number(match[3] ?? 0)];
}

function groupDocument(name: string, versions: ReadonlyMap<string, unknown>): object {
  const list = [...versions.keys()].map((version) => ({ groupVersion: apiVersionOf(name, version), version }));
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
    resourceDocument(definition, table.of(definition).hub),
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

function resourceDocument(definition: ResourceDefinition, hub: ResourceDefinition): ResourceDocument {
  return {
    name: definition.plural,
    singularName: definition.singular,
    namespaced: definition.scope === "Namespaced",
    kind: definition.kind,
    verbs: definition.verbs,
    ...(definition.shortNames.length > 0 && { shortNames: definition.shortNames }),
    ...(definition.categories.length > 0 && { categories: definition.categories }),
    ...(isStored(definition) && { storageVersionHash: storageVersionHash(hub) }),
  };
}

function isStored(definition: ResourceDefinition): boolean {
  return definition.handler === undefined && definition.verbs.includes("list");
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

function aggregatedOf(
  groups: Groups,
  core: boolean,
  remotes: RemoteGroups,
): { document: object; etag: string } {
  const coreVersions = groups.get("");
  const items = core
    ? coreVersions && [discoveryItem("", coreVersions)]
    : withRemotes(groups, remotes, discoveryItem, remoteDiscoveryItem);
  const document = {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: items ?? [],
  };
  const etag = createHash("sha512").update(JSON.stringify(document)).digest("hex").toUpperCase();
  return { document, etag: `"${etag}"` };
}

function discoveryItem(
  name: string,
  versions: ReadonlyMap<string, readonly ResourceDefinition[]>,
): object {
  return {
    metadata: name === "" ? {} : { name },
    versions: [...versions].map(([version, definitions]) => ({
      version,
      resources: definitions.toSorted((a, b) => compareBytes(a.plural, b.plural)).map(aggregatedResource),
      freshness: "Current",
    })),
  };
}

function aggregatedResource(definition: ResourceDefinition): object {
  const responseKind = { group: "", version: "", kind: definition.kind };
  const subresources = Object.entries(definition.subresources).toSorted(([a], [b]) => compareBytes(a, b));
  return {
    resource: definition.plural,
    responseKind,
    scope: definition.scope,
    singularResource: definition.singular,
    verbs: definition.verbs,
    ...(definition.shortNames.length > 0 && { shortNames: definition.shortNames }),
    ...(definition.categories.length > 0 && { categories: definition.categories }),
    ...(subresources.length > 0 && {
      subresources: subresources.map(([subresource, { kind: own, verbs }]) => ({
        subresource,
        responseKind: {
          group: "",
          version: "",
          ...foreignKind(definition, own),
          kind: own?.kind ?? definition.kind,
        },
        verbs,
      })),
    }),
  };
}

import { compareBytes } from "#apimachinery/maps.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { ApiTable } from "../api-table.ts";
import { type Priority, priorityOf } from "./priorities.ts";
import type { RemoteGroups, RemoteVersion } from "./remote-groups.ts";

/** A version of a group. Another server's word counts where both serve it. */
export interface VersionEntry {
  readonly version: string;
  readonly priority: Priority;
  readonly local?: readonly ResourceDefinition[];
  readonly remote?: RemoteVersion;
}

/** By name, in the order of their priorities; so are the versions of each. */
export type Groups = ReadonlyMap<string, readonly VersionEntry[]>;

export function groupsOf(table: ApiTable, remotes: RemoteGroups): Groups {
  const found = new Map<string, Map<string, VersionEntry>>();
  const versionsOf = (group: string): Map<string, VersionEntry> => {
    const versions = found.get(group) ?? new Map<string, VersionEntry>();
    found.set(group, versions);
    return versions;
  };
  for (const { definition } of table.endpoints()) {
    const { group, version, custom } = definition;
    const versions = versionsOf(group);
    const { priority = priorityOf({ group, version, isCustom: custom !== undefined }), local = [] } = versions.get(version) ?? {};
    versions.set(version, { version, priority, local: [...local, definition] });
  }
  for (const remote of remotes.versions()) {
    const priority = { group: remote.groupPriority, version: remote.versionPriority };
    versionsOf(remote.group).set(remote.version, { version: remote.version, priority, remote });
  }
  const groups = [...found].map(([name, versions]) => [name, [...versions.values()].sort(byPriority)] as const);
  return new Map(groups.toSorted(([a, x], [b, y]) => rank(y) - rank(x) || compareBytes(a, b)));
}

function rank(versions: readonly VersionEntry[]): number {
  return Math.max(...versions.map(({ priority }) => priority.group));
}

function byPriority(a: VersionEntry, b: VersionEntry): number {
  return b.priority.version - a.priority.version || compareVersions(b.version, a.version);
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

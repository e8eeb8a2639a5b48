import { compareBytes } from "#apimachinery/maps.ts";
import { apiVersionOf } from "#apimachinery/object.ts";

/** A group version that another server serves. */
export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** In the form of aggregated discovery. */
  readonly resources: readonly object[];
  /** False while the other server does not answer. */
  readonly isFresh: boolean;
}

export interface RemoteGroups {
  /** Changes with what `versions` gives. */
  readonly generation: number;
  versions(): readonly RemoteVersion[];
}

export const noRemoteGroups: RemoteGroups = { generation: 0, versions: () => [] };

interface RemoteGroup {
  readonly name: string;
  readonly priority: number;
  readonly versions: readonly RemoteVersion[];
}

/** Groups and their versions, the most important first. */
export function remoteGroupsOf(remotes: RemoteGroups): RemoteGroup[] {
  const groups = new Map<string, RemoteVersion[]>();
  for (const version of remotes.versions()) {
    groups.set(version.group, [...(groups.get(version.group) ?? []), version]);
  }
  return [...groups]
    .map(([name, versions]) => ({
      name,
      priority: Math.max(...versions.map(({ groupPriority }) => groupPriority)),
      versions: versions.toSorted((a, b) => b.versionPriority - a.versionPriority),
    }))
    .sort((a, b) => b.priority - a.priority || compareBytes(a.name, b.name));
}

/** Priority of groups that CustomResourceDefinitions make. */
const customPriority = 1000;

/**
 * Documents of groups with those of other servers among them: behind built-in groups, before or
 * behind custom ones as their priority says. `localCount` is how many of `local` are built in.
 */
export function insertRemote<T>(
  local: readonly T[],
  localCount: number,
  { remotes, document }: { readonly remotes: RemoteGroups; readonly document: (group: RemoteGroup) => T },
): T[] {
  const groups = remoteGroupsOf(remotes);
  const high = groups.filter(({ priority }) => priority > customPriority).map(document);
  const low = groups.filter(({ priority }) => priority <= customPriority).map(document);
  return [...local.slice(0, localCount), ...high, ...local.slice(localCount), ...low];
}

/** As in `/apis`. */
export function remoteGroupDocument({ name, versions }: RemoteGroup): object {
  const list = versions.map(({ version }) => ({ groupVersion: apiVersionOf(name, version), version }));
  return { name, versions: list, preferredVersion: list[0] };
}

/** As in aggregated discovery. */
export function remoteDiscoveryItem({ name, versions }: RemoteGroup): object {
  return {
    metadata: { name },
    versions: versions.map(({ version, resources, isFresh }) => ({
      version,
      resources,
      freshness: isFresh ? "Current" : "Stale",
    })),
  };
}

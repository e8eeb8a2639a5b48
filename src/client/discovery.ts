import { isNotFound } from "#apimachinery/status.ts";
import type { Client, ResourceTarget } from "./client.ts";

/** A resource as discovery tells of it, in its group's preferred version that serves it. */
export interface DiscoveredResource extends ResourceTarget {
  readonly verbs: readonly string[];
}

export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  /** `group/version` of aggregated servers that do not answer: what they serve is unknown. */
  readonly failed: readonly string[];
}

interface GroupDocument {
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly VersionDocument[];
}

interface VersionDocument {
  readonly version?: string;
  readonly freshness?: string;
  readonly resources?: readonly {
    readonly resource?: string;
    readonly responseKind?: {
      readonly group?: string;
      readonly version?: string;
      readonly kind?: string;
    };
    readonly scope?: string;
    readonly verbs?: readonly string[];
  }[];
}

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Asks for everything that is served (aggregated discovery, Kubernetes 1.26 and newer). */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const documents = await Promise.all([
    fetchGroups(client, "/api", signal),
    fetchGroups(client, "/apis", signal),
  ]);
  const groups = documents.flat();
  return {
    resources: groups.flatMap(preferredResources),
    failed: groups.flatMap(staleVersions),
  };
}

async function fetchGroups(
  client: Client,
  path: string,
  signal?: AbortSignal,
): Promise<readonly GroupDocument[]> {
  try {
    const document = await client.raw({
      method: "GET",
      path,
      accept: aggregated,
      ...(signal && { signal }),
    });
    return (document as { items?: readonly GroupDocument[] }).items ?? [];
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** Versions come most preferred first; each resource counts once. */
function preferredResources(group: GroupDocument): DiscoveredResource[] {
  const found = new Map<string, DiscoveredResource>();
  for (const { version = "", resources = [] } of group.versions ?? []) {
    for (const { resource = "", responseKind, scope, verbs = [] } of resources) {
      if (found.has(resource)) continue;
      found.set(resource, {
        group: group.metadata?.name ?? "",
        version,
        plural: resource,
        kind: responseKind?.kind ?? "",
        scope: scope === "Cluster" ? "Cluster" : "Namespaced",
        verbs,
      });
    }
  }
  return [...found.values()];
}

function staleVersions(group: GroupDocument): string[] {
  return (group.versions ?? [])
    .filter(({ freshness }) => freshness === "Stale")
    .map(({ version }) => `${group.metadata?.name}/${version}`);
}

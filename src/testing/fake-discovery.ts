import { unknownResource } from "#apimachinery/status.ts";
import type { ResourceTarget } from "#client/client.ts";

/** Aggregated discovery (apidiscovery.k8s.io/v2) of what a fake serves: `/api` or `/apis`. */
export function discoveryDocument(path: string, served: readonly ResourceTarget[]): object {
  const core = path === "/api";
  if (!core && path !== "/apis") throw unknownResource();
  const groups = Map.groupBy(
    served.filter(({ group }) => (group === "") === core),
    ({ group }) => group,
  );
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: [...groups].map(([group, targets]) => groupDocument(group, targets)),
  };
}

function groupDocument(group: string, targets: readonly ResourceTarget[]): object {
  const versions = Map.groupBy(targets, ({ version }) => version);
  return {
    metadata: { name: group },
    versions: [...versions].map(([version, resources]) => ({
      version,
      freshness: "Current",
      resources: resources.map(({ plural, kind, scope }) => ({
        resource: plural,
        responseKind: { group, version, kind },
        scope,
        singularResource: kind.toLowerCase(),
        verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      })),
    })),
  };
}

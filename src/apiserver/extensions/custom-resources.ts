import type { CustomResourceDefinition } from "#api/apiextensions/v1/custom-resource-definition.ts";
import { compareVersions } from "../discovery/groups.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { ApiTable } from "../api-table.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { isConditionTrue } from "./conditions.ts";
import { type CustomOptions, resourcesOfCustom } from "./custom-definition.ts";

/** What is served of one definition. */
interface Served {
  /** Changes with whatever the resources are made of. */
  readonly state: string;
  resources: readonly ResourceDefinition[];
  /** The newest, which serves the same. */
  crd: CustomResourceDefinition;
}

/**
 * Keeps the table of resources in step with the CustomResourceDefinitions in the store: a change is
 * served before the write that made it is answered.
 * Invariants: 1. what an established definition serves is in the table, nothing else of its kind.
 * 2. Built-in resources are never replaced.
 */
export function serveCustomResources(
  table: ApiTable,
  crds: LiveSet<CustomResourceDefinition>,
  options: CustomOptions,
): Disposable {
  const served = new Map<string, Served>();
  return crds.onChange((name, crd) => {
    const before = served.get(name);
    const state = crd === undefined || !isServed(crd) ? "" : stateOf(crd);
    if (state === (before?.state ?? "")) {
      // What was read from bytes that are gone would keep them.
      if (before !== undefined && crd !== undefined) before.crd = crd;
      return;
    }
    if (before !== undefined) table.remove(before.resources);
    if (crd === undefined || state === "") {
      served.delete(name);
      return;
    }
    const now: Served = { state, resources: [], crd };
    now.resources = resourcesOfCustom(() => now.crd, options)
      .filter(({ group, version, plural }) => table.find(group, version, plural) === undefined)
      .sort((a, b) => compareVersions(b.version, a.version));
    served.set(name, now);
    table.add(now.resources);
  });
}

function isServed(crd: CustomResourceDefinition): boolean {
  return isConditionTrue(crd, "Established");
}

/** Generation counts changes of the spec; names and the end come by the status. */
function stateOf(crd: CustomResourceDefinition): string {
  const { metadata, status } = crd;
  return JSON.stringify([
    metadata.uid,
    metadata.generation,
    status?.acceptedNames,
    isConditionTrue(crd, "Terminating"),
  ]);
}

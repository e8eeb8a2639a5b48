/** What plugins read of the cluster besides nodes and pods: informers' caches. */
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Lister } from "#client/indexer.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { Informer } from "#client/informer.ts";
import type { Informers } from "#client/informer-factory.ts";
import { type Namespace, namespaces } from "#api/core/v1/namespace.ts";
import { type PodDisruptionBudget, podDisruptionBudgets } from "#api/policy/v1/pod-disruption-budget.ts";

export interface Listers {
  readonly namespaces: Lister<Namespace>;
  readonly podDisruptionBudgets: Lister<PodDisruptionBudget>;
  of<T extends KubeObject>(definition: ResourceDefinition<T>): Lister<T>;
  /** For those who wait for a change. */
  informerOf<T extends KubeObject>(definition: ResourceDefinition<T>): Informer<T>;
}

export function createListers(informers: Informers): Listers {
  // Asked for every node: the informers' own table is keyed by text.
  const known = new Map<ResourceTarget, Lister<KubeObject>>();
  return {
    namespaces: informers.of(namespaces).lister,
    podDisruptionBudgets: informers.of(podDisruptionBudgets).lister,
    informerOf: (definition) => informers.of(definition),
    of<T extends KubeObject>(definition: ResourceDefinition<T>): Lister<T> {
      const lister = known.get(definition);
      // What is filed under a definition has its type.
      if (lister !== undefined) return lister as unknown as Lister<T>;
      const made = informers.of(definition).lister;
      known.set(definition, made as unknown as Lister<KubeObject>);
      return made;
    },
  };
}

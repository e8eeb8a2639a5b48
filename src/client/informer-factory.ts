import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Clock } from "#base/clock.ts";
import { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceClient, ResourceTarget } from "./client.ts";
import { type Informer, startInformer } from "./informer.ts";
import type { Selection } from "./reflector.ts";

/** The informers of a process: one for each resource and selection, whoever asks for it. */
export interface Informers {
  /** Begins to follow the resource with the first call. */
  of<T extends KubeObject>(definition: ResourceDefinition<T>, selection?: Selection): Informer<T>;
  /** The same informers, for kinds known by discovery only. */
  dynamic(target: ResourceTarget, selection?: Selection): Informer<KubeObject>;
  /** One that runs already. */
  find(target: ResourceTarget, selection?: Selection): Informer<KubeObject> | undefined;
  /** Ends an informer that nobody needs any more (its kind is no longer served). */
  drop(target: ResourceTarget, selection?: Selection): void;
  /** Resolves when all that were asked for so far have their first state. */
  synced(): Promise<void>;
}

export interface InformersOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}

export function createInformers(options: InformersOptions): Informers {
  const running = new Map<string, { informer: Informer<KubeObject>; lifetime: Lifetime }>();

  function start(client: ResourceClient<KubeObject>, selection: Selection): Informer<KubeObject> {
    const id = identify(client.target, selection);
    const existing = running.get(id);
    if (existing) return existing.informer;
    const lifetime = options.lifetime.child(id);
    const informer = startInformer({ ...options, client, selection, lifetime });
    running.set(id, { informer, lifetime });
    return informer;
  }

  return {
    of<T extends KubeObject>(definition: ResourceDefinition<T>, selection: Selection = {}) {
      // The map cannot say that what is filed under a definition's identity has its type.
      const client: ResourceClient<KubeObject> = options.client.dynamic(definition);
      return start(client, selection) as unknown as Informer<T>;
    },
    dynamic: (target, selection = {}) => start(options.client.dynamic(target), selection),
    find: (target, selection = {}) => running.get(identify(target, selection))?.informer,
    drop(target, selection = {}) {
      const id = identify(target, selection);
      void running.get(id)?.lifetime.end();
      running.delete(id);
    },
    async synced() {
      await Promise.all([...running.values()].map(({ informer }) => informer.synced()));
    },
  };
}

function identify(target: ResourceTarget, selection: Selection): string {
  const { namespace = "", labelSelector = "", fieldSelector = "" } = selection;
  const path = [target.group, target.version, target.plural, namespace];
  return `${path.join("/")}?${labelSelector}&${fieldSelector}`;
}

/**
 * ConfigMaps and Secrets that the node's Pods refer to, each followed by a watch of its own: a node
 * may see no others. Source: kubelet/util/manager watch_based_manager.go.
 */
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { type Secret, secrets } from "#api/core/v1/secret.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { objectKey } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { Informer } from "#client/informer.ts";
import type { Informers } from "#client/informer-factory.ts";
import { containersOf, uidOf } from "./pod/container-list.ts";
import type { PodObjects } from "./pod/environment.ts";

export interface WatchedObjects extends PodObjects {
  /** Follows what the Pod refers to. */
  register(pod: Pod): void;
  unregister(uid: string): void;
}

interface Watched {
  readonly informer: Informer<KubeObject>;
  readonly uids: Set<string>;
  readonly drop: () => void;
}

export function createWatchedObjects(
  informers: Informers,
  /** An object that the Pod refers to came, changed or went. */
  changed: (uid: string) => void,
): WatchedObjects {
  const watched = new Map<string, Watched>();

  function open<T extends KubeObject>(
    definition: ResourceDefinition<T>,
    namespace: string,
    name: string,
  ): Watched {
    const id = `${definition.plural}/${namespace}/${name}`;
    const known = watched.get(id);
    if (known !== undefined) return known;
    const selection = { namespace, fieldSelector: `metadata.name=${name}` };
    const target: ResourceTarget = definition as ResourceTarget;
    const informer = informers.dynamic(target, selection);
    const uids = new Set<string>();
    const entry = { informer, uids, drop: () => informers.drop(target, selection) };
    watched.set(id, entry);
    const tell = (): void => uids.forEach(changed);
    informer.subscribe({
      onAdd: (_, { initial }) => void (initial || tell()),
      onUpdate: tell,
      onDelete: tell,
    });
    return entry;
  }

  async function read<T extends KubeObject>(
    definition: ResourceDefinition<T>,
    namespace: string,
    name: string,
  ): Promise<T | undefined> {
    const { informer } = open(definition, namespace, name);
    await informer.synced();
    // Followed as an object of unknown type; the definition says which it is.
    return informer.lister.get(objectKey(namespace, name)) as T | undefined;
  }

  return {
    configMap: (namespace, name): Promise<ConfigMap | undefined> =>
      read(configMaps, namespace, name),
    secret: (namespace, name): Promise<Secret | undefined> => read(secrets, namespace, name),
    register(pod) {
      const namespace = pod.metadata?.namespace ?? "";
      const { configMapNames, secretNames } = referencesOf(pod);
      for (const name of configMapNames) open(configMaps, namespace, name).uids.add(uidOf(pod));
      for (const name of secretNames) open(secrets, namespace, name).uids.add(uidOf(pod));
    },
    unregister(uid) {
      for (const [id, { uids, drop }] of watched) {
        if (!uids.delete(uid) || uids.size > 0) continue;
        watched.delete(id);
        drop();
      }
    },
  };
}

export interface PodReferences {
  readonly configMapNames: ReadonlySet<string>;
  readonly secretNames: ReadonlySet<string>;
}

/** Source: pkg/api/v1/pod VisitPodSecretNames, VisitPodConfigmapNames. */
export function referencesOf(pod: Pod): PodReferences {
  const configMapNames = new Set<string>();
  const secretNames = new Set<string>();
  const add = (names: Set<string>, name: string | undefined): void =>
    void (name && names.add(name));
  for (const { name } of pod.spec.imagePullSecrets ?? []) add(secretNames, name);
  for (const { container } of containersOf(pod)) addFromEnvironment(container);
  for (const volume of pod.spec.volumes ?? []) {
    add(secretNames, volume.secret?.secretName);
    add(configMapNames, volume.configMap?.name);
    for (const { secret, configMap } of volume.projected?.sources ?? []) {
      add(secretNames, secret?.name);
      add(configMapNames, configMap?.name);
    }
  }
  return { configMapNames, secretNames };

  function addFromEnvironment(container: Container): void {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add(configMapNames, configMapRef?.name);
      add(secretNames, secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      add(configMapNames, valueFrom?.configMapKeyRef?.name);
      add(secretNames, valueFrom?.secretKeyRef?.name);
    }
  }
}

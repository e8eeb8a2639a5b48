/**
 * Pods from files: they run without an API server, which only gets a picture of each (a mirror
 * Pod). Invariants: 1. A file's Pod runs as long as the file is there; what happens to the mirror
 * does not matter to it. 2. A changed file is another Pod, which starts when the old one has gone.
 * 3. A mirror that is missing or stale is made anew. Source: kubelet/config/{file,common}.go,
 * kubelet/pod/mirror_client.go.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { defaultPod } from "#api/core/v1/pod-defaults.ts";
import type { Node } from "#api/core/v1/node.ts";
import { type Pod, Pod as PodSchema, pods } from "#api/core/v1/pod.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { applySchemaDefaults } from "#apimachinery/schema-defaults.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#apimachinery/status.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import type { Client } from "#client/client.ts";
import type { Informer } from "#client/informer.ts";
import { parseYaml } from "#wire/yaml.ts";
import { isMirrorPod, uidOf } from "./pod/container-list.ts";
import type { PodManager } from "./pod/pod-manager.ts";

export const hashAnnotation = "kubernetes.io/config.hash";
export const mirrorAnnotation = "kubernetes.io/config.mirror";

export interface StaticPodsOptions {
  readonly directory: string;
  readonly nodeName: string;
  readonly world: World;
  readonly client: Client;
  readonly informer: Informer<Pod>;
  readonly manager: PodManager;
  readonly node: () => Node;
  readonly lifetime: Lifetime;
}

/** Resolves when what the directory has now was taken in. */
export async function followStaticPods(options: StaticPodsOptions): Promise<void> {
  const { world, manager, informer, lifetime, directory } = options;
  const known = new Map<string, Pod>();
  const mirrors = createMirrors(options);
  let scanning: Promise<void> = Promise.resolve();

  function scan(): Promise<void> {
    scanning = scanning
      .then(rescan)
      .catch((error: unknown) => world.log.error("static pods not read", error));
    return scanning;
  }

  async function rescan(): Promise<void> {
    const found = await readDirectory(options);
    for (const [key, pod] of known) {
      const next = found.get(key);
      if (next !== undefined && uidOf(next) === uidOf(pod)) continue;
      known.delete(key);
      await manager.removeStatic(pod);
      await mirrors.remove(key);
    }
    for (const [key, pod] of found) {
      if (known.has(key) || lifetime.ended) continue;
      known.set(key, pod);
      manager.add(pod);
      await mirrors.ensure(pod);
    }
  }

  const check = (pod: Pod): void => {
    const own = known.get(keyOfObject(pod));
    if (own !== undefined && isMirrorPod(pod)) void mirrors.ensure(own);
  };
  await world.files.makeDirectory(directory);
  lifetime.use(world.files.watch(directory, () => void scan()));
  lifetime.use(informer.subscribe({ onUpdate: check, onDelete: check }));
  await scan();
}

async function readDirectory({
  directory,
  world,
  nodeName,
}: StaticPodsOptions): Promise<Map<string, Pod>> {
  const found = new Map<string, Pod>();
  for (const name of await world.files.list(directory)) {
    if (name.startsWith(".")) continue;
    const path = join(directory, name);
    try {
      const pod = staticPod(await world.files.read(path), { path, nodeName });
      found.set(keyOfObject(pod), pod);
    } catch (error) {
      world.log.warn("static pod not understood", { path, error });
    }
  }
  return found;
}

/** The Pod of a manifest, named after the node. Throws on what is no Pod. */
export function staticPod(
  manifest: Uint8Array,
  { path, nodeName }: { readonly path: string; readonly nodeName: string },
): Pod {
  const parsed = parseYaml(manifest).value as Partial<Pod> | null;
  if (parsed?.kind !== "Pod" || parsed.spec === undefined) throw new Error(`${path} holds no Pod`);
  const hash = createHash("md5").update(`${nodeName}\n${path}\n`).update(manifest).digest("hex");
  const { metadata = {}, spec } = parsed;
  const pod: Pod = {
    ...parsed,
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      ...metadata,
      name: `${metadata.name ?? ""}-${nodeName}`,
      namespace: metadata.namespace ?? "default",
      uid: metadata.uid ?? hash,
      generation: 1,
      annotations: {
        ...metadata.annotations,
        [hashAnnotation]: hash,
        "kubernetes.io/config.source": "file",
      },
    },
    spec: {
      ...spec,
      nodeName,
      tolerations: [...(spec.tolerations ?? []), { operator: "Exists", effect: "NoExecute" }],
    },
    status: { phase: "Pending" },
  };
  applySchemaDefaults(PodSchema, pod);
  defaultPod(pod);
  return pod;
}

/** The pictures in the API of Pods from files. */
function createMirrors({ client, informer, node, world }: StaticPodsOptions) {
  const resource = client.resource(pods);

  async function remove(key: string): Promise<void> {
    const mirror = informer.lister.get(key);
    if (mirror === undefined || !isMirrorPod(mirror)) return;
    const uid = uidOf(mirror);
    await resource.delete(key, { gracePeriodSeconds: 0, preconditions: { uid } }).catch(ignoreGone);
  }

  async function ensure(pod: Pod): Promise<void> {
    const key = keyOfObject(pod);
    const hash = pod.metadata?.annotations?.[hashAnnotation] ?? "";
    const mirror = informer.lister.get(key);
    try {
      if (mirror !== undefined) {
        const fresh = mirror.metadata?.annotations?.[mirrorAnnotation] === hash;
        if (fresh && mirror.metadata?.deletionTimestamp === undefined) return;
        await remove(key);
      }
      await resource.create(mirrorOf(pod, hash, node()));
    } catch (error) {
      if (!isAlreadyExists(error)) world.log.warn("mirror pod not made", { pod: key, error });
    }
  }

  return { ensure, remove };
}

function mirrorOf(pod: Pod, hash: string, node: Node): Pod {
  const { uid: _, ...metadata } = pod.metadata ?? {};
  const { name = "", uid = "" } = node.metadata ?? {};
  return {
    ...pod,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [mirrorAnnotation]: hash },
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid, controller: true }],
    },
  };
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}

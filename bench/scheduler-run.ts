/** Runs one workload of scheduler_perf and takes the time of what it says to measure. */
import { namespaces } from "#api/core/v1/namespace.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { services } from "#api/core/v1/service.ts";
import { deviceClasses } from "#api/resource/v1/device-class.ts";
import { resourceClaimTemplates } from "#api/resource/v1/resource-claim-template.ts";
import { resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { deviceTaintRules } from "#api/resource/v1alpha3/device-taint-rule.ts";
import { resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { csiNodes } from "#api/storage/v1/csi-node.ts";
import { storageClasses } from "#api/storage/v1/storage-class.ts";
import { type KubeObject, keyOfObject } from "#apimachinery/object.ts";
import { isAlreadyExists } from "#apimachinery/status.ts";
import { systemClock } from "#base/os/clock.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { BenchCluster } from "./scheduler-cluster.ts";
import { allocateClaims, createResourceDriver } from "./scheduler-devices.ts";
import { countOf, defaultTemplate, fromTemplate, type Operation, steadyMsOf, type Workload } from "./scheduler-workload.ts";

export interface Figures {
  readonly pods: number;
  readonly podsPerSecond: number;
  /** From the creation of a pod to its binding. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  /** Creations alone, without the wait for the last bindings. */
  readonly createdPerSecond: number;
}

const inFlightMax = 100;
/** Longest wait for pods to be scheduled. */
const waitMsMax = 300_000;

export async function runWorkload(
  workload: Workload,
  cluster: BenchCluster,
  { queued }: { readonly queued: boolean },
): Promise<Figures[]> {
  const run = new Run(workload, cluster, queued);
  for (const operation of workload.operations) await run.perform(operation);
  await run.end();
  return run.figures;
}

interface Steady {
  readonly namespace: string;
  readonly path: string;
  /** Grows. */
  readonly names: string[];
  readonly endMs: number;
}

class Run {
  readonly figures: Figures[] = [];
  readonly #workload: Workload;
  readonly #cluster: BenchCluster;
  /** Measured pods are created before a scheduler looks. */
  readonly #queued: boolean;
  readonly #createdAt = new Map<string, number>();
  readonly #boundAt = new Map<string, number>();
  readonly #waiters = new Set<() => void>();
  readonly #churns: Disposable[] = [];
  #podNamespaces = 0;
  #nodes = 0;
  #collecting: { startMs: number; names: Set<string> } | undefined;

  constructor(workload: Workload, cluster: BenchCluster, queued: boolean) {
    this.#workload = workload;
    this.#cluster = cluster;
    this.#queued = queued;
    const seen = (pod: Pod): void => {
      const key = keyOfObject(pod);
      if (!pod.spec.nodeName || this.#boundAt.has(key)) return;
      this.#boundAt.set(key, systemClock.monotonicMs());
      for (const waiter of this.#waiters) waiter();
    };
    cluster.informers.of(pods).subscribe({ onAdd: seen, onUpdate: seen });
    cluster.start();
  }

  async perform(operation: Operation): Promise<void> {
    switch (operation.opcode) {
      case "createNodes":
        return this.#createNodes(operation);
      case "createNamespaces":
        return this.#createNamespaces(operation);
      case "createPods":
        return this.#createPods(operation);
      case "createPodSets":
        return this.#createPodSets(operation);
      case "churn":
        return this.#churn(operation);
      case "deletePods":
        return this.#deletePods(operation);
      case "barrier":
        return this.#barrier(operation);
      case "createAny":
        return this.#createAny(operation);
      case "updateAny":
        return this.#updateAny(operation);
      case "createResourceDriver": {
        const devicesPerNode = Number(this.#workload.params[operation.maxClaimsPerNodeParam?.slice(1) ?? ""] ?? 1);
        const { driverName: driver = "", nodes: nodePattern = "*" } = operation;
        return createResourceDriver(this.#cluster.client, { driver, nodePattern, devicesPerNode });
      }
      case "allocResourceClaims":
        return allocateClaims(this.#cluster.client, operation.namespace ?? "default");
      case "startCollectingMetrics":
        this.#collecting = { startMs: systemClock.monotonicMs(), names: new Set() };
        return;
      case "stopCollectingMetrics":
        return this.#collected();
      default:
        throw new Error(`opcode ${operation.opcode} is not supported`);
    }
  }

  async end(): Promise<void> {
    for (const churn of this.#churns) churn[Symbol.dispose]();
    await this.#cluster.stop();
  }

  async #createNodes(operation: Operation): Promise<void> {
    const path = operation.nodeTemplatePath ?? defaultTemplate(this.#workload, "node-default.yaml");
    const { labelNodePrepareStrategy: labelled, uniqueNodeLabelStrategy: unique } = operation;
    await inFlight(countOf(operation, this.#workload), async (i) => {
      const node = fromTemplate(this.#workload, path, i) as Node;
      const name = node.metadata?.name ?? `${node.metadata?.generateName ?? "node-"}${++this.#nodes}`;
      const featureCount = Number(this.#workload.params["numNodeDeclaredFeatures"] ?? 0);
      const declaredFeatures = Array.from({ length: featureCount }, (_, n) => `feature-${String(n).padStart(3, "0")}`);
      const values = labelled?.labelValues ?? [];
      const labels: Record<string, string> = { ...node.metadata?.labels, "kubernetes.io/hostname": name };
      if (labelled) labels[labelled.labelKey] = values[i % values.length] ?? "";
      if (unique) labels[unique.labelKey] = name;
      const { nodeAllocatable, csiNodeAllocatable } = operation.nodeAllocatableStrategy ?? {};
      const capacity = { ...node.status?.capacity, ...nodeAllocatable };
      const made = await this.#cluster.client
        .resource(nodes)
        .create({ ...node, metadata: { ...node.metadata, name, labels } });
      if (made.status?.allocatable === undefined) {
        const status = { ...node.status, capacity, allocatable: capacity, ...(featureCount > 0 && { declaredFeatures }) };
        await this.#cluster.client.resource(nodes).updateStatus({ ...made, status });
      }
      for (const [driver, { count }] of Object.entries(csiNodeAllocatable ?? {})) {
        await this.#cluster.client.resource(csiNodes).create({
          metadata: { name },
          spec: {
            drivers: [{ name: driver, nodeID: name, topologyKeys: [], allocatable: { count } }],
          },
        });
      }
    });
  }

  async #createNamespaces(operation: Operation): Promise<void> {
    const { prefix = "", namespaceTemplatePath } = operation;
    for (let i = 0; i < countOf(operation, this.#workload); i++) {
      const template = namespaceTemplatePath
        ? fromTemplate(this.#workload, namespaceTemplatePath, i)
        : {};
      await this.#ensureNamespace(`${prefix}-${i}`, template);
    }
  }

  async #ensureNamespace(name: string, template: KubeObject = {}): Promise<void> {
    const namespace = { ...template, metadata: { ...template.metadata, name } };
    await this.#cluster.client
      .resource(namespaces)
      .create(namespace as never)
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
  }

  async #createPods(operation: Operation): Promise<void> {
    const namespace = operation.namespace ?? `namespace-${++this.#podNamespaces}`;
    await this.#ensureNamespace(namespace);
    const path =
      operation.podTemplatePath ??
      this.#workload.defaultPodTemplatePath ??
      defaultTemplate(this.#workload, "pod-default.yaml");
    const count = countOf(operation, this.#workload);
    const measured = operation.collectMetrics === true;
    if (measured && this.#queued) await this.#cluster.stop();
    let startMs = systemClock.monotonicMs();
    const names: string[] = [];
    await inFlight(count, async (i) => {
      await this.#createVolume(operation, namespace, i);
      const pod = withClaim(fromTemplate(this.#workload, path, i, count) as Pod, operation, i);
      const atMs = systemClock.monotonicMs();
      const made = await this.#cluster.client
        .resource(pods)
        .create({ ...pod, metadata: { ...pod.metadata, namespace } });
      const key = keyOfObject(made);
      this.#createdAt.set(key, atMs);
      this.#collecting?.names.add(key);
      names.push(key);
    });
    const createdMs = systemClock.monotonicMs() - startMs;
    if (measured && this.#queued) {
      startMs = systemClock.monotonicMs();
      this.#cluster.start();
    }
    if (operation.skipWaitToCompletion !== true) await this.#scheduled(names);
    const steadyMs = steadyMsOf(operation, this.#workload);
    if (steadyMs !== undefined) await this.#steady({ namespace, path, names, endMs: startMs + steadyMs });
    if (measured) this.#measure(names, { startMs, createdMs });
  }

  /** Deletes pods that were scheduled and makes others in their place, until the time is over. */
  async #steady({ namespace, path, names, endMs }: Steady): Promise<void> {
    const resource = this.#cluster.client.resource(pods);
    let replaced = 0;
    const count = names.length;
    const worker = async (): Promise<void> => {
      while (systemClock.monotonicMs() < endMs) {
        const old = names[replaced++];
        if (old === undefined) return;
        await this.#scheduled([old]);
        await resource.delete(old, { gracePeriodSeconds: 0 });
        const pod = fromTemplate(this.#workload, path, names.length) as Pod;
        const atMs = systemClock.monotonicMs();
        const made = await resource.create({ ...pod, metadata: { ...pod.metadata, namespace } });
        this.#createdAt.set(keyOfObject(made), atMs);
        names.push(keyOfObject(made));
      }
    };
    await Promise.all(Array.from({ length: Math.min(count, 10) }, worker));
    await this.#scheduled(names);
  }

  #measure(
    names: readonly string[],
    { startMs, createdMs }: { startMs: number; createdMs: number },
  ): void {
    const elapsedMs = systemClock.monotonicMs() - startMs;
    const since = (key: string): number => Math.max(startMs, this.#createdAt.get(key) ?? startMs);
    const latencies = names
      .map((key) => (this.#boundAt.get(key) ?? 0) - since(key))
      .sort((a, b) => a - b);
    const at = (share: number): number =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
    this.figures.push({
      pods: names.length,
      podsPerSecond: (names.length / elapsedMs) * 1000,
      latencyMs: { p50: at(0.5), p99: at(0.99) },
      createdPerSecond: (names.length / createdMs) * 1000,
    });
  }

  #collected(): void {
    if (this.#collecting === undefined) return;
    const { startMs, names } = this.#collecting;
    const bound = [...names].filter((key) => this.#boundAt.has(key));
    this.#measure(bound, { startMs, createdMs: systemClock.monotonicMs() - startMs });
    this.#collecting = undefined;
  }

  async #createVolume(operation: Operation, namespace: string, index: number): Promise<void> {
    const { persistentVolumeTemplatePath: pvPath, persistentVolumeClaimTemplatePath: pvcPath } =
      operation;
    if (pvPath === undefined || pvcPath === undefined) return;
    const [pvName, pvcName] = [`${namespace}-pv-${index}`, `pvc-${index}`];
    const volume = fromTemplate(this.#workload, pvPath, index);
    const claim = fromTemplate(this.#workload, pvcPath, index);
    const { client } = this.#cluster;
    const made = await client.resource(persistentVolumeClaims).create({
      ...claim,
      metadata: {
        ...claim.metadata,
        name: pvcName,
        namespace,
        annotations: { "pv.kubernetes.io/bind-completed": "true" },
      },
      spec: { ...(claim as { spec?: object }).spec, volumeName: pvName },
    } as never);
    const { uid } = made.metadata ?? {};
    await client.resource(persistentVolumes).create({
      ...volume,
      metadata: { ...volume.metadata, name: pvName },
      spec: { ...withHandle(volume, pvName), claimRef: { namespace, name: pvcName, uid } },
    } as never);
    await client
      .resource(persistentVolumeClaims)
      .updateStatus({ ...made, status: { ...made.status, phase: "Bound" } });
  }

  async #createPodSets(operation: Operation): Promise<void> {
    const { createPodsOp, namespacePrefix = "" } = operation;
    if (createPodsOp === undefined) return;
    for (let i = 0; i < countOf(operation, this.#workload); i++) {
      await this.#createPods({ ...createPodsOp, namespace: `${namespacePrefix}-${i}` });
    }
  }

  async #scheduled(names: readonly string[]): Promise<void> {
    const deadlineMs = systemClock.monotonicMs() + waitMsMax;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let next = 0;
    const check = (): void => {
      while (next < names.length && this.#boundAt.has(names[next] as string)) next++;
      if (next === names.length) resolve();
    };
    const timer = systemClock.after(deadlineMs - systemClock.monotonicMs(), () =>
      reject(new Error(`${names.length - next} pods not scheduled, ${names[next]} the first`)),
    );
    this.#waiters.add(check);
    check();
    try {
      await promise;
    } finally {
      timer[Symbol.dispose]();
      this.#waiters.delete(check);
    }
  }

  async #churn({
    mode,
    number = 0,
    intervalMilliseconds = 500,
    templatePaths = [],
  }: Operation): Promise<void> {
    const namespace = `namespace-${++this.#podNamespaces}`;
    await this.#ensureNamespace(namespace);
    const { client } = this.#cluster;
    const resources = { Node: nodes, Pod: pods, Service: services };
    const made: KubeObject[] = [];
    let stopped = false;
    let timer: Disposable | undefined;
    const tick = async (): Promise<void> => {
      for (const path of templatePaths) {
        const object = fromTemplate(this.#workload, path, 0);
        const definition = resources[object.kind as keyof typeof resources];
        const scoped =
          object.kind === "Node"
            ? object
            : { ...object, metadata: { ...object.metadata, namespace } };
        made.push(await client.dynamic(definition).create(scoped));
      }
      while (mode === "recreate" && made.length > number * templatePaths.length) {
        const oldest = made.shift() as KubeObject;
        const definition = resources[oldest.kind as keyof typeof resources];
        await client.dynamic(definition).delete(keyOfObject(oldest), { gracePeriodSeconds: 0 });
      }
    };
    const arm = (): void => {
      timer = systemClock.after(intervalMilliseconds, () => {
        tick()
          .catch((error: unknown) => process.stderr.write(`churn: ${String(error)}\n`))
          .finally(() => stopped || arm());
      });
    };
    arm();
    this.#churns.push({
      [Symbol.dispose]() {
        stopped = true;
        timer?.[Symbol.dispose]();
      },
    });
  }

  async #deletePods({
    namespace,
    deletePodsPerSecond,
    skipWaitToCompletion,
    labelSelector,
  }: Operation): Promise<void> {
    const { client } = this.#cluster;
    const within = namespace === undefined ? {} : { namespace };
    const { items } = await client.resource(pods).list(within);
    const chosen = items.filter(({ metadata }) =>
      Object.entries(labelSelector ?? {}).every(
        ([key, value]) => metadata?.labels?.[key] === value,
      ),
    );
    const all = (async () => {
      for (const pod of chosen) {
        await client.resource(pods).delete(keyOfObject(pod), { gracePeriodSeconds: 0 });
        if (deletePodsPerSecond) await systemClock.sleep(1000 / deletePodsPerSecond);
      }
    })();
    if (skipWaitToCompletion !== true) await all;
    else all.catch((error: unknown) => process.stderr.write(`deletePods: ${String(error)}\n`));
  }

  async #barrier({ stageRequirement, labelSelector }: Operation): Promise<void> {
    const { items } = await this.#cluster.client.resource(pods).list();
    const chosen = items.filter(({ metadata }) =>
      Object.entries(labelSelector ?? {}).every(
        ([key, value]) => metadata?.labels?.[key] === value,
      ),
    );
    if (stageRequirement === "Attempted") await systemClock.sleep(500);
    else await this.#scheduled(chosen.map(keyOfObject));
  }

  async #createAny(operation: Operation): Promise<void> {
    const count = countOf(operation, this.#workload);
    await inFlight(count, async (i) => {
      const object = fromTemplate(this.#workload, operation.templatePath ?? "", i, count);
      const definition = definitionOf(object);
      const { namespace } = operation;
      if (namespace !== undefined) await this.#ensureNamespace(namespace);
      const scoped =
        namespace === undefined
          ? object
          : { ...object, metadata: { ...object.metadata, namespace } };
      await this.#cluster.client.dynamic(definition).create(scoped);
    });
  }

  /** Replaces objects by what the template says of them now. */
  async #updateAny({ updatePerSecond, subresources = [], ...operation }: Operation): Promise<void> {
    const count = countOf(operation, this.#workload);
    for (let i = 0; i < count; i++) {
      const object = fromTemplate(this.#workload, operation.templatePath ?? "", i, count);
      const { namespace } = operation;
      const next = { ...object, metadata: { ...object.metadata, ...(namespace && { namespace }) } };
      const resource = this.#cluster.client.dynamic(definitionOf(object));
      const [name] = subresources;
      if (name === undefined) await resource.update(next);
      if (object.kind === "Node") await resource.updateStatus(next);
      if (name !== undefined) await resource.updateSubresource({ key: keyOfObject(next), name, body: next });
      if (updatePerSecond) await systemClock.sleep(1000 / updatePerSecond);
    }
  }
}

const definitions: Readonly<Record<string, ResourceTarget>> = {
  Node: nodes,
  StorageClass: storageClasses,
  Service: services,
  Pod: pods,
  DeviceClass: deviceClasses,
  DeviceTaintRule: deviceTaintRules,
  ResourceSlice: resourceSlices,
  ResourceClaim: resourceClaims,
  ResourceClaimTemplate: resourceClaimTemplates,
};

/** In the version that is named, where the server knows several. */
function definitionOf({ kind, apiVersion = "" }: KubeObject): ResourceTarget {
  const found = definitions[kind ?? ""];
  if (found === undefined) throw new Error(`${kind} is not supported`);
  const version = apiVersion.split("/").at(-1) ?? found.version;
  return { ...found, version };
}

/** Each volume is one of its own. */
function withHandle(volume: KubeObject, volumeHandle: string): object {
  const { spec = {} } = volume as { spec?: { csi?: object } };
  return spec.csi === undefined ? spec : { ...spec, csi: { ...spec.csi, volumeHandle } };
}

function withClaim(pod: Pod, { persistentVolumeClaimTemplatePath }: Operation, index: number): Pod {
  if (persistentVolumeClaimTemplatePath === undefined) return pod;
  const volume = { name: "vol", persistentVolumeClaim: { claimName: `pvc-${index}` } };
  return { ...pod, spec: { ...pod.spec, volumes: [volume] } };
}

async function inFlight(count: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: Math.min(inFlightMax, count) }, worker));
}

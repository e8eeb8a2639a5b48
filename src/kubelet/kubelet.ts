/** The node agent: runs the Pods that the API server has bound to its node. */
import { type Node, nodes } from "#api/core/v1/node.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { services as serviceDefinition } from "#api/core/v1/service.ts";
import { runtimeClasses } from "#api/node/v1/runtime-class.ts";
import { objectKey } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import type { Lifetime } from "#base/lifetime.ts";
import { createMetricRegistry, type MetricRegistry } from "#base/metrics.ts";
import type { World } from "#base/world.ts";
import type { Client } from "#client/client.ts";
import { createEventRecorder } from "#client/events.ts";
import type { Informer } from "#client/informer.ts";
import type { Informers } from "#client/informer-factory.ts";
import { createCgroupManager } from "./cgroups/cgroup-manager.ts";
import type { KubeletConfig } from "./config.ts";
import type { ContainerRuntime } from "./cri/runtime.ts";
import { createEvictionManager, type EvictionManager } from "./housekeeping/eviction-manager.ts";
import { startChores } from "./housekeeping/housekeeping.ts";
import { createImageCollector } from "./housekeeping/image-collector.ts";
import { rotateLogs } from "./housekeeping/log-rotation.ts";
import { createKubeletMetrics, type KubeletMetrics } from "./kubelet-metrics.ts";
import { createImageManager } from "./images/image-manager.ts";
import { type Machine, readMachine } from "./node/machine.ts";
import { startNodeAgent } from "./node/node-agent.ts";
import { allocatableOf, capacityOf, noPressure } from "./node/node-status.ts";
import { createCrashBackoff } from "./pod/crash-backoff.ts";
import { parseResolvConf } from "./pod/dns.ts";
import { createPodEvents } from "./pod/pod-events.ts";
import { createPodManager, type PodManager } from "./pod/pod-manager.ts";
import type { NodeFacts, PodServices } from "./pod/pod-services.ts";
import { createStatusManager } from "./pod/status-manager.ts";
import { createProbeManager } from "./probes/probe-manager.ts";
import type { ProbeNetwork } from "./probes/probe-network.ts";
import { followRuntime } from "./runtime-events.ts";
import { podUsages } from "./server/stats-summary.ts";
import { followStaticPods } from "./static-pods.ts";
import { createTokenManager } from "./token-manager.ts";
import { createImageMounts } from "./volumes/image-volume.ts";
import { trustBundleReader } from "./trust-bundles.ts";
import { createMounts } from "./volumes/mounts.ts";
import type { ClaimSource } from "./volumes/volume-plugin.ts";
import { createVolumeManager } from "./volumes/volume-manager.ts";
import { createWatchedObjects } from "./watched-objects.ts";

export interface KubeletOptions {
  /** As `system:node:NAME`. */
  readonly client: Client;
  readonly informers: Informers;
  readonly world: World;
  readonly config: KubeletConfig;
  readonly cri: ContainerRuntime;
  readonly network: ProbeNetwork;
  readonly metrics?: MetricRegistry;
  /** Ending it leaves every container running. */
  readonly lifetime: Lifetime;
}

export interface Kubelet {
  readonly node: Node;
  readonly pods: PodManager;
  readonly services: PodServices;
  readonly metrics: MetricRegistry;
}

/** Resolves when the node is registered and what it runs was taken over. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, informers, world, config, cri, lifetime } = options;
  const { clock, log } = world;
  await world.files.makeDirectory(config.directories.root, 0o700);
  await world.files.makeDirectory(config.directories.memory, 0o700);
  await world.files.makeDirectory(config.directories.podLogs, 0o755);
  const machine = await readMachine(world, config.directories.root);
  const facts = await nodeFacts(options, machine);
  const recorder = createEventRecorder({
    client,
    clock,
    log,
    lifetime,
    component: "kubelet",
    host: config.nodeName,
  });
  const events = createPodEvents(recorder);
  const podInformer = informers.of(pods, { fieldSelector: `spec.nodeName=${config.nodeName}` });
  const nodeInformer = informers.of(nodes, { fieldSelector: `metadata.name=${config.nodeName}` });
  const serviceInformer = informers.of(serviceDefinition);
  const statuses = createStatusManager({
    client,
    world,
    lifetime,
    cached: (key) => podInformer.lister.get(key),
  });

  // The manager is made of the services, and they tell it what changed.
  let manager: PodManager | undefined;
  const changed = (uid: string): void => manager?.wake(uid, { probed: true });
  const volumesChanged = (uid: string): void => manager?.wake(uid, { volumes: true });

  const objects = createWatchedObjects(informers, volumesChanged);
  const tokens = createTokenManager(client, clock, volumesChanged);
  const images = createImageManager({ images: cri.images, events, clock });
  const services: PodServices = {
    world,
    lifetime,
    cri,
    events,
    objects,
    directories: config.directories,
    node: facts,
    network: options.network,
    runtimeName: (await cri.runtime.version()).runtimeName,
    images,
    cgroups: await createCgroupManager({
      root: config.cgroupRoot,
      podPidsMax: config.podPidsMax,
      world,
    }),
    crashes: createCrashBackoff(clock),
    probes: createProbeManager({
      clock,
      lifetime,
      events,
      changed,
      ports: { runtime: cri.runtime, network: options.network },
      nodeIp: config.nodeIps[0] ?? "",
    }),
    volumes: createVolumeManager(config.directories, {
      world,
      rootPrefix: config.rootPrefix,
      mounts: createMounts(world.processes, config.enterMounts),
      sources: { objects, tokens, trustBundle: trustBundleReader(client) },
      claims: claimSource(client),
      images: createImageMounts(world.processes, {
        socketPath: config.containerdSocketPath,
        enter: config.enterMounts,
      }),
      pullImage: async (pod, container) => {
        const secrets = await pullSecrets(pod, objects);
        const { ref } = await images.ensure({
          pod,
          container,
          sandboxConfig: {},
          pullSecrets: secrets,
        });
        const status = await cri.images.imageStatus(ref);
        return status?.repoTags[0] ?? status?.repoDigests[0] ?? ref;
      },
    }),
    services: () => serviceInformer.lister.list(),
    pullSecrets: (pod) => pullSecrets(pod, objects),
    runtimeHandler: (pod) => runtimeHandler(pod, client),
  };
  let evictions: EvictionManager | undefined;
  const agent = await startNodeAgent({
    client,
    world,
    config,
    cri,
    machine,
    lifetime,
    pressure: () => evictions?.pressure ?? noPressure,
    current: () => nodeInformer.lister.get(config.nodeName),
  });
  const followCapacity = (now: Node, old: Node): void => {
    if (!deepEqual(now.status?.capacity, old.status?.capacity)) agent.report();
  };
  lifetime.use(nodeInformer.subscribe({ onUpdate: followCapacity }));
  // Labels that others gave it count at once, not from the next status on.
  const currentNode = (): Node => nodeInformer.lister.get(config.nodeName) ?? agent.node;
  await Promise.all([nodeInformer.synced(), podInformer.synced(), serviceInformer.synced()]);
  manager = createPodManager({
    services,
    statuses,
    objects,
    tokens,
    config,
    node: currentNode,
  });
  const registry = options.metrics ?? createMetricRegistry();
  const metrics = createKubeletMetrics(registry, config.nodeName);
  lifetime.use(metrics.follow(manager));
  follow(options, { manager, informer: podInformer, metrics });
  if (config.staticPodDirectory !== undefined) {
    await followStaticPods({
      directory: config.staticPodDirectory,
      nodeName: config.nodeName,
      world,
      client,
      manager,
      lifetime,
      informer: podInformer,
      node: currentNode,
    });
  }
  await manager.adopt();
  const kubelet: Kubelet = {
    pods: manager,
    services,
    metrics: registry,
    get node() {
      return agent.node;
    },
  };
  evictions = keepHouse(options, { kubelet, machine, metrics, changed: agent.report });
  return kubelet;
}

/** Source: kubelet's periods for logs, eviction and image collection. */
const logsMs = 10_000;
const evictionMs = 10_000;
const imagesMs = 300_000;

function keepHouse(
  { config, cri, world, lifetime }: KubeletOptions,
  parts: {
    readonly kubelet: Kubelet;
    readonly machine: Machine;
    readonly metrics: KubeletMetrics;
    readonly changed: () => void;
  },
): EvictionManager {
  const { kubelet, machine, metrics, changed } = parts;
  const { directories } = config;
  const images = createImageCollector({
    cri,
    world,
    directory: directories.root,
    capacityBytes: machine.diskBytes,
    sandboxImage: config.sandboxImage,
  });
  const evictions = createEvictionManager({
    manager: kubelet.pods,
    world,
    machine,
    directories,
    images,
    events: kubelet.services.events,
    count: metrics.evictions,
    usages: () => podUsages(kubelet),
    changed,
  });
  const rotation = {
    manager: kubelet.pods,
    runtime: cri.runtime,
    world,
    sizeMaxBytes: config.containerLogSizeMaxBytes,
    filesMax: config.containerLogFilesMax,
  };
  const chores = [
    { name: "logs", periodMs: logsMs, run: () => rotateLogs(rotation) },
    { name: "eviction", periodMs: evictionMs, run: evictions.check },
    { name: "images", periodMs: imagesMs, run: images.collect },
  ];
  startChores(chores, { world, lifetime });
  return evictions;
}

function follow(
  { cri, world, lifetime }: KubeletOptions,
  parts: {
    readonly manager: PodManager;
    readonly informer: Informer<Pod>;
    readonly metrics: KubeletMetrics;
  },
): void {
  const { manager, informer, metrics } = parts;
  const subscription = informer.subscribe({
    onAdd: manager.add,
    onUpdate: manager.update,
    onDelete: manager.remove,
  });
  lifetime.defer(() => subscription[Symbol.dispose]());
  followRuntime({
    world,
    lifetime,
    runtime: cri.runtime,
    changed: manager.wake,
    lost: manager.wakeAll,
    relisted: manager.compare,
    missed: metrics.missedEvents,
  });
}

async function nodeFacts({ config, world }: KubeletOptions, machine: Machine): Promise<NodeFacts> {
  const text = (path: string): Promise<string> => world.files.readText(path).catch(() => "");
  return {
    name: config.nodeName,
    ips: config.nodeIps,
    memoryCapacityBytes: machine.memoryBytes,
    allocatable: allocatableOf(capacityOf(machine, config), config.reserved),
    dns: config.clusterDns,
    resolvConf: parseResolvConf(await text(config.resolvConfPath)),
    hostsFile: await text("/etc/hosts"),
    seccompDirectory: `${config.directories.root}/seccomp`,
    allowedUnsafeSysctls: config.allowedUnsafeSysctls,
    rootPrefix: config.rootPrefix,
  };
}

function claimSource(client: Client): ClaimSource {
  const absent = (error: unknown): undefined => {
    if (!isNotFound(error)) throw error;
  };
  return {
    claim: (namespace, name) =>
      client.resource(persistentVolumeClaims).get(objectKey(namespace, name)).catch(absent),
    volume: (name) => client.resource(persistentVolumes).get(name).catch(absent),
  };
}

async function pullSecrets(pod: Pod, objects: PodServices["objects"]) {
  const namespace = pod.metadata?.namespace ?? "";
  const names = (pod.spec.imagePullSecrets ?? []).map(({ name = "" }) => name);
  const found = await Promise.all(names.map((name) => objects.secret(namespace, name)));
  return found.filter((secret) => secret !== undefined);
}

async function runtimeHandler(pod: Pod, client: Client): Promise<string> {
  const name = pod.spec.runtimeClassName;
  if (name === undefined || name === "") return "";
  return (await client.resource(runtimeClasses).get(name)).handler;
}

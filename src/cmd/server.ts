import { kubernetesRelease } from "#apimachinery/release.ts";
import { join } from "node:path";
import type { FeatureReader } from "#apimachinery/resource.ts";
import { Lifetime } from "#base/lifetime.ts";
import { createMetricRegistry, type MetricRegistry } from "#base/metrics.ts";
import { hostName } from "#base/os/host.ts";
import { registerProcessMetrics } from "#base/os/process-metrics.ts";
import type { World } from "#base/world.ts";
import type { EtcdStoreOptions } from "#store/etcd-client.ts";
import { keepIdentityLease } from "#apiserver/bootstrap/identity-lease.ts";
import { keepKubernetesEndpoints } from "#apiserver/bootstrap/kubernetes-endpoints.ts";
import { openDurableStore } from "#store/durable.ts";
import { createMemoryStore } from "#store/memory.ts";
import { replicaMetrics } from "#store/replica-metrics.ts";
import { openReplica } from "#store/replica.ts";
import type { Scheduler } from "#scheduler/scheduler.ts";
import type { Stage } from "#testing/kwok/stage.ts";
import type { Store } from "#store/store.ts";
import { createInformers, type Informers } from "#client/informer-factory.ts";
import { type ApiServerComponent, type ApiServerFlags, startApiServer } from "./api-server-component.ts";
import { bootstrap, ensureNodeServicesRole } from "./control-plane.ts";
import { type ClusterFile, hollowNodePrefix } from "./cluster-file.ts";
import { featureDefaults } from "./feature-defaults.ts";
import { featureReader } from "./features.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { startNodeProcesses } from "./node-processes.ts";
import { writeComponentKubeconfigs } from "./component-kubeconfigs.ts";
import { resourcesPath } from "./resources-path.ts";
import { whyPath } from "./why/why-path.ts";
import { assignPodCidrs } from "./pod-cidrs.ts";
import { openLeaf, openPki, type Pki } from "./pki.ts";

/** The parts that one process can run. */
export const componentNames = [
  "apiserver",
  "controller-manager",
  "scheduler",
  "kubelet",
  "proxy",
  "dns",
] as const;
export type ComponentName = (typeof componentNames)[number];

export type EtcdFlags = Pick<EtcdStoreOptions, "endpoints" | "tls">;

export interface ServerOptions {
  readonly dataDirectory: string;
  readonly components: ReadonlySet<ComponentName>;
  /** `memory` forgets everything at the end. */
  readonly storage: "durable" | "memory";
  /** An etcd cluster instead. */
  readonly etcd?: EtcdFlags;
  readonly apiServer: ApiServerFlags;
  /** Address that the kubernetes Service leads to. */
  readonly advertiseAddress: string;
  /** Address that kubeconfigs name; the advertised one when absent. */
  readonly kubeconfigAddress?: string;
  /** Name of the machine, where it is not to be its own. */
  readonly hostName?: string;
  /** `HOST:PORT` where other API servers reach this one; where clients do when absent. */
  readonly peerAddress?: string;
  /** Who keeps the endpoints of the kubernetes Service: `none` for somebody else. @default "lease" */
  readonly endpointReconciler?: "lease" | "none";
  readonly featureGates: string;
  /** What `up` prepared; absent for a control plane alone. */
  readonly cluster?: ClusterFile;
  /** How to start this program again, for further nodes. */
  readonly command?: readonly string[];
}

export interface RunningServer {
  readonly api: ApiServerComponent;
  readonly pki: Pki;
  readonly kubeconfigPath: string;
  readonly url: string;
  /** Caches that all components of this process share. */
  readonly informers: Informers;
  /** Where it runs in this process. */
  readonly scheduler: Scheduler | undefined;
}

/** Opens the store of a data directory. */
async function openStore(world: World, options: ServerOptions, metrics: MetricRegistry): Promise<Store> {
  const { clock, random, files, log } = world;
  if (options.etcd !== undefined) {
    // gRPC is loaded by those alone who need it: it takes longer than opening the embedded store.
    const { openEtcdStore } = await import("#store/etcd-client.ts");
    const remote = await openEtcdStore({ ...options.etcd, clock, log: log.named("etcd") });
    const replica = await openReplica({ remote, clock, log: log.named("replica"), prefix: "/registry/" });
    replicaMetrics(metrics, replica);
    return replica;
  }
  if (options.storage === "memory") return createMemoryStore({ clock, random });
  const directory = join(options.dataDirectory, "store");
  return openDurableStore({ files, directory, clock, random, log: log.named("store") });
}

/** Starts the control plane of this process; everything live belongs to `lifetime`. */
export async function startServer(
  world: World,
  options: ServerOptions,
  lifetime: Lifetime,
): Promise<RunningServer> {
  const { dataDirectory, advertiseAddress } = options;
  await world.files.makeDirectory(dataDirectory, 0o700);
  const metrics = createMetricRegistry();
  lifetime.use(registerProcessMetrics(metrics));
  const [store, pki] = await Promise.all([openStore(world, options, metrics), openPki(world, dataDirectory)]);
  lifetime.use(store);
  const features = featureReader(options.featureGates, featureDefaults);
  const local: { api?: ApiServerComponent; scheduler?: Scheduler | undefined } = {};
  const paths = [
    whyPath({ client: () => local.api?.server.loopback, attemptOf: () => local.scheduler?.why }),
    resourcesPath(() => (local.scheduler === undefined ? undefined : local.api?.server.loopback)),
  ];
  const externalHost = hostOf(advertiseAddress);
  const { apiServer: flags, components } = options;
  const api = await startApiServer(world, { store, pki, features, metrics, flags, paths, components, externalHost });
  local.api = api;
  lifetime.use(api);
  const server = `https://${hostOf(options.kubeconfigAddress ?? advertiseAddress)}:${api.http.port}`;
  const kubeconfigPath = join(dataDirectory, "kubeconfig");
  const [admin] = await Promise.all([
    adminPair(world, pki),
    bootstrap(world, {
      server: api.server,
      serviceCidrs: options.apiServer.serviceClusterIpRange.split(","),
      port: api.http.port,
      authorities: { clientCaPem: pki.caPem, frontProxyCaPem: pki.frontProxyCaPem },
    }),
  ]);
  api.markBootstrapped();
  if (options.endpointReconciler !== "none") {
    const endpoints = await keepKubernetesEndpoints({
      client: api.server.loopback,
      store,
      clock: world.clock,
      log: world.log.named("kubernetes-endpoints"),
      address: advertiseAddress,
      port: api.http.port,
    });
    lifetime.use(endpoints);
  }
  if (features.enabled("APIServerIdentity")) {
    const isAsked = features.enabled("UnknownVersionInteroperabilityProxy");
    const identity = await keepIdentityLease({
      client: api.server.loopback,
      clock: world.clock,
      random: world.random,
      log: world.log.named("identity-lease"),
      hostName: options.hostName ?? hostName(),
      peerAddress: isAsked ? (options.peerAddress ?? `${externalHost}:${api.http.port}`) : undefined,
    });
    lifetime.use(identity);
  }
  await writeKubeconfig(world, kubeconfigPath, { server, caPem: pki.caPem, user: "admin", pair: admin });
  await writeComponentKubeconfigs(world, { dataDirectory, server, pki, nodes: options.cluster?.nodes ?? [] });
  const { clock, random } = world;
  const client = api.server.loopback;
  const informers = createInformers({ client, clock, random, log: world.log.named("informers"), lifetime });
  const scheduler = await startLocalComponents(world, { options, api, pki, features, metrics, informers, lifetime });
  local.scheduler = scheduler;
  return { api, pki, kubeconfigPath, url: server, informers, scheduler };
}

function adminPair(world: World, pki: Pki): ReturnType<typeof openLeaf> {
  return openLeaf(world, pki, {
    file: "admin",
    authority: pki.ca,
    commonName: "kubernetes-admin",
    organizations: ["system:masters"],
    usages: ["client auth"],
  });
}

/** As a part of a URL. */
export function hostOf(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

interface Local {
  readonly options: ServerOptions;
  readonly api: ApiServerComponent;
  readonly pki: Pki;
  readonly features: FeatureReader;
  readonly metrics: MetricRegistry;
  readonly informers: Informers;
  readonly lifetime: Lifetime;
}

/** Components that share the API server's process share its objects too. Only those that run are loaded. */
async function startLocalComponents(world: World, local: Local): Promise<Scheduler | undefined> {
  const { options, api, pki, features, informers, lifetime } = local;
  if (options.components.has("controller-manager")) {
    const { startControllerManager } = await import("./controller-manager.ts");
    startControllerManager(world, {
      client: api.server.loopback,
      informers,
      pki,
      lifetime,
      featureEnabled: (gate) => features.enabled(gate),
    });
  }
  const scheduler = options.components.has("scheduler") ? await startLocalScheduler(world, local) : undefined;
  await startLocalNodes(world, local);
  return scheduler;
}

async function startLocalScheduler(world: World, local: Local): Promise<Scheduler> {
  const { api, features, metrics, informers, lifetime, options } = local;
  const { startScheduler } = await import("#scheduler/scheduler.ts");
  const identity = { name: "system:kube-scheduler", groups: ["system:authenticated"] };
  return startScheduler({
    client: api.server.loopback.as(identity, `kube-scheduler/${kubernetesRelease}`),
    informers,
    clock: world.clock,
    random: world.random,
    log: world.log.named("scheduler"),
    lifetime: lifetime.child("scheduler"),
    featureEnabled: (gate) => features.enabled(gate),
    metrics,
    ...(options.cluster?.nodes[0] && { host: options.cluster.nodes[0].name }),
  });
}

async function readStagesFile(world: World, file: string): Promise<Stage[]> {
  const { readStages } = await import("#testing/kwok/stage.ts");
  return readStages(await world.files.readText(file));
}

/** The first node of a cluster that `up` prepared; its other nodes are processes of their own. */
async function startLocalNodes(world: World, { options, api, pki, informers, lifetime }: Local): Promise<void> {
  const { components, cluster } = options;
  const client = api.server.loopback;
  const { clock } = world;
  const node = cluster?.nodes[0];
  if (cluster === undefined || node === undefined) return;
  if (cluster.hollow) {
    const { startHollowNodes } = await import("#testing/hollow-node.ts");
    const { hollowStages: file } = cluster;
    await startHollowNodes({
      client,
      informers,
      clock,
      random: world.random,
      ...(file !== undefined && { stages: await readStagesFile(world, file) }),
      log: world.log.named("hollow-node"),
      lifetime: lifetime.child("hollow-nodes"),
      count: cluster.nodes.length,
      namePrefix: hollowNodePrefix,
    });
    return;
  }
  await ensureNodeServicesRole(client);
  assignPodCidrs(cluster.nodes, { client, informers, log: world.log.named("pod-cidrs"), lifetime });
  startNodeProcesses(world, {
    nodes: cluster.nodes.slice(1),
    dataDirectory: options.dataDirectory,
    command: options.command ?? [],
    lifetime,
  });
  const { startNode } = await import("./node-agent.ts");
  await startNode(world, {
    node,
    cluster,
    client,
    kubeletClient: client.as(
      { name: `system:node:${node.name}`, groups: ["system:nodes", "system:authenticated"] },
      `kubelet/${kubernetesRelease}`,
    ),
    informers,
    kubeletInformers: informers,
    pki,
    components,
    lifetime: lifetime.child(node.name),
  });
}

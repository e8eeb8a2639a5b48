import { join } from "node:path";
import { nodes } from "#api/core/v1/node.ts";
import { bridgeConfList } from "#cni/bridge-conf.ts";
import type { Client } from "#client/client.ts";
import type { Informers } from "#client/informer-factory.ts";
import { createForwarder, resolversOf } from "#dns/forwarder.ts";
import { startDnsServer } from "#dns/server.ts";
import { publishDns } from "#dns/service.ts";
import { openZoneSource } from "#dns/source.ts";
import { serveHttps } from "#base/os/http.ts";
import { systemNetwork } from "#base/os/network.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { createKubeletAuth } from "#kubelet/server/authorization.ts";
import { kubeletHandler } from "#kubelet/server/kubelet-server.ts";
import { defaultKubeletConfig, type KubeletConfig } from "#kubelet/config.ts";
import { type Kubelet, startKubelet } from "#kubelet/kubelet.ts";
import { joinNodeNetwork, type NodeNetwork } from "#kubelet/node/node-network.ts";
import { systemProbeNetwork } from "#kubelet/probes/system-probe-network.ts";
import { createNftWriter } from "#proxy/nft.ts";
import { startProxy } from "#proxy/proxy.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import type { ClusterFile, PreparedNode } from "./cluster-file.ts";
import { addressAt } from "./addresses.ts";
import { openLeaf, type Pki } from "./pki.ts";
import { cgroupRootOf, openContainerd, openNetwork } from "./node-resources.ts";
import { followPodRoutes } from "./pod-routes.ts";

/** Where the node's resolver listens: not 53, which the machine itself may use. */
const dnsPort = 10_053;
const clusterDomain = "cluster.local";
/** Position of the DNS Service in the range of Service addresses. */
const dnsServiceIndex = 10;
const mtu = 1450;

export interface NodeAgentOptions {
  readonly node: PreparedNode;
  readonly cluster: ClusterFile;
  /** For proxy and DNS. */
  readonly client: Client;
  /** As `system:node:NAME`. */
  readonly kubeletClient: Client;
  readonly informers: Informers;
  readonly kubeletInformers: Informers;
  readonly pki: Pki;
  readonly components: ReadonlySet<string>;
  readonly lifetime: Lifetime;
}

/** Runs what a node needs: kubelet, Service proxy and DNS, inside the node's network. */
export async function startNode(world: World, options: NodeAgentOptions): Promise<Kubelet | undefined> {
  const { components } = options;
  const network = await networkOf(world, options);
  if (components.has("proxy")) startNodeProxy(world, options);
  if (components.has("dns")) await startNodeDns(world, options);
  if (!components.has("kubelet")) return undefined;
  followPodRoutes(options.informers, { network, nodeName: options.node.name, log: world.log, lifetime: options.lifetime });
  const kubelet = await startNodeKubelet(world, options, network);
  await labelRole(world, options);
  return kubelet;
}

/** A kubelet may not give its own node a role. */
async function labelRole(world: World, { node, client }: NodeAgentOptions): Promise<void> {
  if (node.index !== 0) return;
  const body = { metadata: { labels: { "node-role.kubernetes.io/control-plane": "" } } };
  try {
    await client.resource(nodes).patch(node.name, { type: "merge", body });
  } catch (error) {
    world.log.warn("node role not set", { node: node.name, error });
  }
}

function networkOf(world: World, { node, cluster }: NodeAgentOptions): Promise<NodeNetwork> {
  const { processes } = world;
  if (node.namespace !== "") return Promise.resolve(joinNodeNetwork(node, processes));
  return openNetwork(world, cluster, node);
}

function startNodeProxy(world: World, { node, cluster, informers, lifetime }: NodeAgentOptions): void {
  const log = world.log.named("proxy");
  startProxy({
    nodeName: node.name,
    informers,
    writer: createNftWriter({ processes: world.processes, log }),
    processes: world.processes,
    clock: world.clock,
    log,
    lifetime: lifetime.child("proxy"),
    clusterCidr: cluster.clusterCidr,
    serviceCidr: cluster.serviceCidr,
  });
}

async function startNodeDns(world: World, options: NodeAgentOptions): Promise<void> {
  const { node, cluster, client, informers } = options;
  const lifetime = options.lifetime.child("dns");
  const { clock, random } = world;
  const resolvers = resolversOf(await world.files.readText("/etc/resolv.conf").catch(() => ""));
  const forwarder =
    resolvers.length === 0
      ? undefined
      : lifetime.use(await createForwarder({ resolvers, network: systemNetwork, clock, random }));
  const { port } = await startDnsServer({
    source: await openZoneSource(informers),
    domain: clusterDomain,
    addresses: [node.address],
    port: dnsPort,
    ...(forwarder && { forwarder }),
    network: systemNetwork,
    clock,
    random,
    log: world.log.named("dns"),
    lifetime,
  });
  await publishDns(client, {
    clusterAddress: addressAt(cluster.serviceCidr, dnsServiceIndex),
    nodeName: node.name,
    nodeAddress: node.address,
    port,
  });
}

async function startNodeKubelet(
  world: World,
  { node, cluster, kubeletClient, kubeletInformers, pki, lifetime }: NodeAgentOptions,
  network: NodeNetwork,
): Promise<Kubelet> {
  const cniConfDirectory = join(node.directory, "cni");
  await world.files.makeDirectory(cniConfDirectory);
  const conf = bridgeConfList({
    name: "kubets",
    podCidr: node.podCidr,
    leaseDirectory: join(node.directory, "ipam"),
    mtu,
  });
  await world.files.writeAtomic(join(cniConfDirectory, "10-kubets.conflist"), JSON.stringify(conf, undefined, 1));
  const containerd = await openContainerd(world, cluster, { node, network });
  const config = {
    ...defaultKubeletConfig,
    nodeName: node.name,
    nodeIps: [node.address],
    directories: {
      root: join(node.directory, "kubelet"),
      memory: join(node.stateDirectory, "memory"),
      podLogs: join(node.directory, "pod-logs"),
    },
    clusterDns: { servers: [addressAt(cluster.serviceCidr, dnsServiceIndex)], domain: clusterDomain },
    cgroupRoot: `${cgroupRootOf(cluster)}/${node.name}`,
    containerdSocketPath: containerd.socketPath,
    rootPrefix: containerd.rootPrefix,
    enterMounts: [...containerd.enterMounts],
  };
  const kubelet = await startKubelet({
    client: kubeletClient,
    informers: kubeletInformers,
    world: { ...world, log: world.log.named("kubelet") },
    config,
    cri: containerd.runtime,
    network: systemProbeNetwork,
    lifetime: lifetime.child("kubelet"),
  });
  await serveKubelet(world, { kubelet, config, node, pki, client: kubeletClient, lifetime });
  return kubelet;
}

interface KubeletServing {
  readonly kubelet: Kubelet;
  readonly config: KubeletConfig;
  readonly node: PreparedNode;
  readonly pki: Pki;
  readonly client: Client;
  readonly lifetime: Lifetime;
}

/** The kubelet's HTTPS port: logs, exec and the like, for whom the API server lets in. */
async function serveKubelet(world: World, serving: KubeletServing): Promise<void> {
  const { kubelet, config, node, pki, client, lifetime } = serving;
  const credentials = await openLeaf(world, pki, {
    file: `kubelet-${node.name}`,
    authority: pki.ca,
    commonName: `system:node:${node.name}`,
    organizations: ["system:nodes"],
    usages: ["server auth"],
    dnsNames: [node.name],
    ipAddresses: [node.address],
  });
  const server = await serveHttps({
    listen: { host: node.address, port: config.port },
    credentials: { ...credentials, ca: pki.caPem },
    onRequest: kubeletHandler({
      kubelet,
      config,
      auth: createKubeletAuth({ client, clock: world.clock, nodeName: node.name }),
      metrics: kubelet.metrics,
      openHttpClient: (baseUrl) => createHttpClient({ baseUrl, http1Only: true }),
    }),
    log: world.log.named("kubelet-server"),
  });
  lifetime.use(server);
}

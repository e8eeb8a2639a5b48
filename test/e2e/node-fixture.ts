import { join } from "node:path";
import type { KubeObject } from "#apimachinery/object.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import type { World } from "#base/world.ts";
import { type Client, createClient } from "#client/client.ts";
import { createInformers } from "#client/informer-factory.ts";
import { bridgeConfList } from "#cni/bridge-conf.ts";
import { defaultKubeletConfig } from "#kubelet/config.ts";
import { type Kubelet, startKubelet } from "#kubelet/kubelet.ts";
import { busyboxImage, pauseImage, pauseImageName } from "#kubelet/node/base-images.ts";
import { type NodeContainerd, startContainerd } from "#kubelet/node/containerd-process.ts";
import { importImageArchive } from "#kubelet/node/image-import.ts";
import { type NodeNetwork, openNodeNetwork } from "#kubelet/node/node-network.ts";
import { ociArchive } from "#kubelet/node/oci-image.ts";
import { systemProbeNetwork } from "#kubelet/probes/system-probe-network.ts";
import { createFakeApi, type FakeApi } from "#testing/fake-api.ts";
import type { ResourceTarget } from "#client/client.ts";

/** Why a real node cannot be made here; undefined when it can. */
export async function nodeObstacle(): Promise<string | undefined> {
  const { processes } = openWorld({ log: silentLogger });
  const { stdout } = await processes.run("id", ["-u"]);
  if (stdout.trim() !== "0") return "needs root";
  for (const program of ["containerd", "runc", "nsenter", "ip"]) {
    const found = await processes.run("sh", ["-c", `command -v ${program}`]);
    if (found.code !== 0) return `needs ${program}`;
  }
  return undefined;
}

export const testImage = "docker.io/library/busybox:1.35";

/** A node with a real containerd in namespaces of its own, and a kubelet on a fake API. */
export interface TestNode extends AsyncDisposable {
  readonly world: World;
  readonly api: FakeApi;
  readonly client: Client;
  readonly network: NodeNetwork;
  readonly containerd: NodeContainerd;
  readonly directory: string;
  kubelet: Kubelet;
  /** Ends the kubelet, as a crash would, and starts another. */
  restartKubelet(): Promise<void>;
  /** Resolves with the object when `holds` is true of it; the test's own timeout is the limit. */
  until<T extends KubeObject>(
    target: ResourceTarget,
    key: string,
    holds: (object: T | undefined) => boolean,
  ): Promise<T | undefined>;
}

/** Each test file takes an index of its own: subnets and names must not meet. */
export async function startTestNode(index: number): Promise<TestNode> {
  const world = openWorld({ log: silentLogger });
  const name = `t${index}`;
  const directory = `/tmp/kubets-e2e-${name}`;
  const runDirectory = `/run/kubets-e2e-${name}`;
  const network = await openNodeNetwork({
    name,
    index: 0,
    mode: "namespace",
    clusterCidr: "10.244.0.0/16",
    serviceCidr: "10.96.0.0/12",
    processes: world.processes,
    bridge: `kte${index}`,
    linkCidr: `10.20${index}.7.0/24`,
  });
  const cniConfDirectory = join(directory, "cni");
  await world.files.remove(directory);
  await world.files.makeDirectory(cniConfDirectory);
  await world.files.write(
    join(cniConfDirectory, "10-kubets.conflist"),
    JSON.stringify(
      bridgeConfList({
        name,
        podCidr: "10.244.1.0/24",
        leaseDirectory: join(directory, "ipam"),
        mtu: 1400,
      }),
    ),
  );
  const cgroupRoot = `kubets-e2e-${name}`;
  const containerd = await startContainerd({
    nodeName: name,
    directory: join(directory, "containerd"),
    stateDirectory: runDirectory,
    network,
    sandboxImage: pauseImageName,
    cniBinDirectory: "/usr/lib/cni",
    cniConfDirectory,
    cgroupRoot,
    world,
  });
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const busybox = await busyboxImage(world, { architecture, names: [testImage] });
  await importImageArchive(await ociArchive([pauseImage(architecture), busybox]), {
    socketPath: containerd.socketPath,
    world,
    directory,
  });
  const api = createFakeApi({ clock: world.clock, random: world.random });
  const client = createClient({ transport: api.transport, userAgent: "kubelet/test" });
  let lifetime = new Lifetime("kubelet");
  const start = (): Promise<Kubelet> =>
    startKubelet({
      client,
      world,
      lifetime,
      informers: createInformers({
        client,
        clock: world.clock,
        random: world.random,
        log: world.log,
        lifetime,
      }),
      cri: containerd.runtime,
      network: systemProbeNetwork,
      config: {
        ...defaultKubeletConfig,
        nodeName: name,
        nodeIps: [network.address],
        cgroupRoot,
        directories: {
          root: join(directory, "kubelet"),
          memory: `${runDirectory}/volumes`,
          podLogs: join(directory, "pods"),
        },
        clusterDns: { servers: ["10.96.0.10"], domain: "cluster.local" },
        containerdSocketPath: containerd.socketPath,
        rootPrefix: containerd.rootPrefix,
        enterMounts: containerd.enterMounts,
      },
    });
  const node: TestNode = {
    world,
    api,
    client,
    network,
    containerd,
    directory,
    kubelet: await start(),
    async restartKubelet() {
      await lifetime.end();
      lifetime = new Lifetime("kubelet");
      node.kubelet = await start();
    },
    until: (target, key, holds) => untilObject(client, { target, key }, holds),
    async [Symbol.asyncDispose]() {
      await lifetime.end();
      await containerd.stop();
      await network.close();
      await world.files.remove(directory);
    },
  };
  return node;
}

function untilObject<T extends KubeObject>(
  client: Client,
  { target, key }: { readonly target: ResourceTarget; readonly key: string },
  holds: (object: T | undefined) => boolean,
): Promise<T | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const name = key.slice(key.indexOf("/") + 1);
  let seen = false;
  const check = (object: T | undefined): void => {
    seen = true;
    if (holds(object)) resolve(object);
  };
  const stream = client.dynamic(target).watch(
    {
      fieldSelector: `metadata.name=${name}`,
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      resourceVersionMatch: "NotOlderThan",
    },
    {
      onEvent({ type, object }) {
        if (type !== "BOOKMARK") check(type === "DELETED" ? undefined : (object as T));
        else if (!seen) check(undefined);
      },
      onClosed: (error) => reject(error ?? new Error("watch ended")),
    },
  );
  return promise.finally(() => stream[Symbol.dispose]());
}

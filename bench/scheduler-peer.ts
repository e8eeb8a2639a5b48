/** Kubernetes' own API server, etcd and scheduler under the same workloads; see `KUBE_PEER_DIR` of the other benches. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { systemClock } from "#base/os/clock.ts";
import { systemRandom } from "#base/os/random.ts";
import { createClient } from "#client/client.ts";
import { createHttpTransport } from "#client/http-transport.ts";
import { createInformers } from "#client/informer-factory.ts";
import { binaries } from "./api-server-peers.ts";
import type { BenchCluster } from "./scheduler-cluster.ts";
import { endProcess } from "../tools/end-process.ts";

const userAgent = "bench";

/** `directory` holds kube-apiserver, etcd and kube-scheduler. Workloads that need controllers do not run here. */
export async function openPeerCluster(directory: string, featureGates: string): Promise<BenchCluster> {
  const gates = featureGates === "" ? [] : [`--feature-gates=${featureGates}`];
  const disabled = "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition,Priority";
  const subject = await binaries(directory, [...gates, disabled, "--runtime-config=api/all=true"]);
  const lifetime = new Lifetime("peer");
  const own = await mkdtemp(join(tmpdir(), "kubets-bench-"));
  const kubeconfig = join(own, "kubeconfig");
  await writeFile(kubeconfig, subject.kubeconfig ?? "");
  await subject.start?.();
  const http = lifetime.use(subject.open());
  const client = createClient({ transport: createHttpTransport({ http, clock: systemClock, userAgent }), userAgent });
  const informers = createInformers({ client, clock: systemClock, random: systemRandom, log: silentLogger, lifetime });
  let scheduler: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    const running = scheduler;
    scheduler = undefined;
    if (running !== undefined) await endProcess(running);
  };
  return {
    client,
    informers,
    lifetime,
    start() {
      const args = ["--kubeconfig", kubeconfig, "--leader-elect=false", ...gates];
      // Its clients are held to 50 requests a second unless they are told otherwise.
      const limits = ["--kube-api-qps=5000", "--kube-api-burst=5000"];
      scheduler = spawn(join(directory, "kube-scheduler"), [...args, ...limits], { stdio: "ignore" });
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await lifetime.end();
      await subject[Symbol.asyncDispose]();
      await rm(own, { recursive: true, force: true });
    },
  };
}

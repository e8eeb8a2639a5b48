import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import type { Client } from "#client/client.ts";
import { startEtcd, type EtcdCluster } from "#store/testing/etcd-process.ts";
import { openLeaf, openPki, type Pki } from "../../src/cmd/pki.ts";
import { connectRemote } from "../../src/cmd/remote.ts";
import { endProcess } from "../../tools/end-process.ts";

const root = join(import.meta.dirname, "../..");
const world = openWorld({ log: silentLogger });

export interface ControlPlaneServer {
  readonly directory: string;
  /** What the kubernetes Service names it by. */
  readonly address: string;
  readonly client: Client;
  /** Ends the API server at once, as a crash would. */
  crash(): Promise<void>;
  /** Asks it to end, and waits. */
  stop(): Promise<void>;
  /** Starts a component of this server's machine, with its kubeconfig. */
  startComponent(name: "scheduler" | "controller-manager", ...args: string[]): ChildProcess;
}

/** Several API servers of one cluster on one etcd cluster, each a process with its own directory. */
export interface ControlPlane extends AsyncDisposable {
  readonly etcd: EtcdCluster;
  readonly servers: readonly ControlPlaneServer[];
}

export async function startControlPlane(spec: {
  readonly members: number;
  readonly servers: number;
  /** Whether etcd wants certificates. */
  readonly tls?: boolean;
  /** Further flags of the API servers. */
  readonly args?: readonly string[];
}): Promise<ControlPlane> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-control-plane-"));
  const lifetime = new Lifetime("control plane");
  lifetime.defer(() => rm(directory, { recursive: true, force: true }));
  try {
    const pki = await openPki(world, join(directory, "shared"));
    const tls = spec.tls === true ? await etcdCertificates(pki) : undefined;
    const etcd = lifetime.use(await startEtcd({ size: spec.members, ...(tls && { tls: tls.members }) }));
    const port = await freePort();
    const servers = await Promise.all(
      Array.from({ length: spec.servers }, (_, i) =>
        startServer({ directory, lifetime, etcd, port, number: 11 + i, args: [...(tls?.clientFlags ?? []), ...(spec.args ?? [])] }),
      ),
    );
    return { etcd, servers, [Symbol.asyncDispose]: () => lifetime.end() };
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

/** Certificates of etcd's members, and the flags that show one of its own to them. */
async function etcdCertificates(pki: Pki): Promise<{
  readonly members: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly clientFlags: readonly string[];
}> {
  const file = (name: string): string => join(pki.directory, name);
  const base = { authority: pki.ca, ipAddresses: ["127.0.0.1"] };
  await openLeaf(world, pki, { ...base, file: "etcd-member", commonName: "m", usages: ["server auth", "client auth"] });
  await openLeaf(world, pki, { ...base, file: "etcd-client", commonName: "kube-apiserver", usages: ["client auth"] });
  return {
    members: { ca: file("ca.crt"), cert: file("etcd-member.crt"), key: file("etcd-member.key") },
    clientFlags: [
      ...["--etcd-cafile", file("ca.crt")],
      ...["--etcd-certfile", file("etcd-client.crt"), "--etcd-keyfile", file("etcd-client.key")],
    ],
  };
}

async function startServer(spec: {
  readonly directory: string;
  readonly lifetime: Lifetime;
  readonly etcd: EtcdCluster;
  readonly port: number;
  readonly number: number;
  readonly args: readonly string[];
}): Promise<ControlPlaneServer> {
  const { lifetime, etcd, port, number } = spec;
  const directory = join(spec.directory, String(number));
  // As kubeadm's further control planes: the same authorities and keys, own certificates.
  await cp(join(spec.directory, "shared/pki"), join(directory, "pki"), { recursive: true });
  const address = `192.0.2.${number}`;
  const start = (name: string, ...args: string[]): ChildProcess => {
    const child = spawn("./kubets", [name, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    lifetime.defer(() => endProcess(child, "SIGKILL"));
    child.stderr.resume();
    return child;
  };
  const server = start(
    "apiserver",
    ...["--data-dir", directory, "--secure-port", String(port)],
    ...["--bind-address", `127.0.0.${number}`, "--advertise-address", address],
    ...["--etcd-servers", etcd.endpoints.join(",")],
    ...spec.args,
  );
  await lineOf(server, /API server ready/);
  const kubeconfig = join(directory, "kubeconfig");
  const { client } = await connectRemote(world, { kubeconfig, userAgent: "etcd-test", lifetime });
  return {
    directory,
    address,
    client,
    crash: () => endProcess(server, "SIGKILL"),
    stop: () => endProcess(server),
    startComponent(name, ...args) {
      const own = name === "controller-manager" ? ["--data-dir", directory] : [];
      const child = start(name, "--kubeconfig", join(directory, `${name}.conf`), ...own, ...args);
      child.stdout?.resume();
      return child;
    },
  };
}

async function lineOf(child: ChildProcess, wanted: RegExp): Promise<void> {
  assert.ok(child.stdout !== null && child.stderr !== null);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`;
    if (!wanted.test(line)) continue;
    child.stdout.resume();
    return;
  }
  throw new Error(`ended before it said ${wanted}: ${said}`);
}

/** A port that is free on all addresses of loopback. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

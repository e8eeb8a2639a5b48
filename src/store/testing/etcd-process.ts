/** Real etcd members for tests, on loopback, with their data in a temporary directory. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemProcesses } from "#base/os/processes.ts";
import type { ChildProcess } from "#base/processes.ts";

export interface EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  /** Kills it at once; its data stays. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): void;
}

export interface EtcdCluster extends AsyncDisposable {
  readonly members: readonly EtcdMember[];
  readonly endpoints: readonly string[];
}

export interface EtcdClusterOptions {
  readonly size: number;
  /** Paths of PEM files: clients must come with a certificate of `ca`. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Of a single member that was there before; it is left in place. */
  readonly dataDirectory?: string;
  /** For tests that kill members and count on their disk. */
  readonly fsync?: boolean;
}

/** Why there are no tests with etcd; false when there can be. */
export async function etcdMissing(): Promise<string | false> {
  try {
    const { code } = await systemProcesses.run("etcd", ["--version"]);
    return code === 0 ? false : "etcd does not run";
  } catch {
    return "no etcd binary";
  }
}

/** Starts the members without waiting for them: a client waits by itself. */
export async function startEtcd(options: EtcdClusterOptions): Promise<EtcdCluster> {
  const root = await mkdtemp(join(tmpdir(), "kubets-etcd-"));
  const ports = await freePorts(2 * options.size);
  const peers = ports.slice(options.size);
  const initial = peers.map((port, i) => `m${i}=http://127.0.0.1:${port}`).join(",");
  const members = ports.slice(0, options.size).map((port, i) => {
    const peer = `http://127.0.0.1:${peers[i]}`;
    return member({ name: `m${i}`, port, peer, initial, root, options });
  });
  for (const each of members) each.start();
  return {
    members,
    endpoints: members.map((each) => each.endpoint),
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((each) => each.kill()));
      await rm(root, { recursive: true, force: true });
    },
  };
}

function member(from: {
  readonly name: string;
  readonly port: number;
  readonly peer: string;
  readonly initial: string;
  readonly root: string;
  readonly options: EtcdClusterOptions;
}): EtcdMember {
  const { tls, fsync, dataDirectory } = from.options;
  const endpoint = `${tls === undefined ? "http" : "https"}://127.0.0.1:${from.port}`;
  const args = [
    ["--name", from.name],
    ["--data-dir", dataDirectory ?? join(from.root, from.name)],
    ["--listen-client-urls", endpoint],
    ["--advertise-client-urls", endpoint],
    ["--listen-peer-urls", from.peer],
    ["--initial-advertise-peer-urls", from.peer],
    ["--initial-cluster", from.initial],
    ["--heartbeat-interval", "50", "--election-timeout", "500"],
    ["--experimental-watch-progress-notify-interval", "200ms"],
    fsync === true ? [] : ["--unsafe-no-fsync"],
    tls === undefined
      ? []
      : [
          "--cert-file",
          tls.cert,
          "--key-file",
          tls.key,
          "--trusted-ca-file",
          tls.ca,
          "--client-cert-auth",
        ],
  ].flat();
  let child: ChildProcess | undefined;
  return {
    name: from.name,
    endpoint,
    start() {
      child = systemProcesses.start("etcd", args);
      child.stdout.resume();
      child.stderr.resume();
    },
    async kill() {
      child?.kill("SIGKILL");
      await child?.exited;
      child = undefined;
    },
  };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map((server) => {
      server.close();
      return once(server, "close");
    }),
  );
  return ports;
}

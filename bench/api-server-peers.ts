/** API servers under measurement: ours, Kubernetes' own binaries, or any that is there already. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "#base/log.ts";
import type { HttpClient } from "#base/http.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { openWorld } from "#base/os/world.ts";
import { openPki } from "#cmd/pki.ts";
import { endProcess } from "../tools/end-process.ts";

const root = join(import.meta.dirname, "..");
const token = "bench-token";
const readyPollMs = 5;
const readyMsMax = 60_000;

/** Disposing it removes its data. */
export interface Subject extends AsyncDisposable {
  readonly name: string;
  /** Milliseconds from the command to `/readyz`; undefined for a server that was there. */
  readonly start?: () => Promise<number>;
  readonly stop?: () => Promise<void>;
  /** Resident memory of its processes; undefined when they are not ours to see. */
  readonly memoryMiB?: () => number;
  /** A connection of its own each time. */
  open(): HttpClient;
  /** For programs of its side; undefined for a server that was there. */
  readonly kubeconfig?: string;
}

/** Ours, and the peer of `KUBE_PEER_DIR` (with `kube-apiserver` and `etcd`) or of `PEER_URL` and `PEER_TOKEN`. */
export function subjects(): (() => Promise<Subject>)[] {
  const found = [ours];
  const { KUBE_PEER_DIR: directory, PEER_URL: url, PEER_TOKEN: peerToken } = process.env;
  if (directory !== undefined) found.push(() => binaries(directory));
  else if (url !== undefined) found.push(async () => running(url, peerToken ?? ""));
  return found;
}

function running(baseUrl: string, peerToken: string): Subject {
  return {
    name: "peer",
    [Symbol.asyncDispose]: async () => {},
    open: () => createHttpClient({ baseUrl, token: peerToken, tls: { insecure: true } }),
  };
}

interface Spec {
  readonly name: string;
  readonly directory: string;
  readonly port: number;
  /** In the order in which they start. */
  readonly commands: readonly (readonly string[])[];
}

function processes({ name, directory, port, commands }: Spec): Subject {
  let children: ChildProcess[] = [];
  const open = (): HttpClient => createHttpClient({ baseUrl: `https://127.0.0.1:${port}`, token, tls: { insecure: true } });
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await endProcess(child);
    children = [];
  };
  const user = { name: "bench", user: { token } };
  const cluster = { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
  return {
    name,
    open,
    kubeconfig: JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "bench", cluster }],
      users: [user],
      contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
      "current-context": "bench",
    }),
    async start() {
      const began = performance.now();
      children = commands.map(([file = "", ...args]) => spawn(file, args, { cwd: root, stdio: "ignore" }));
      await using http = open();
      await untilReady(http, children);
      return performance.now() - began;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
    memoryMiB: () => children.reduce((sum, { pid }) => sum + memoryMiB(pid as number), 0),
  };
}

async function untilReady(http: HttpClient, children: readonly ChildProcess[]): Promise<void> {
  const untilMs = performance.now() + readyMsMax;
  while (performance.now() < untilMs) {
    if (children.some(({ exitCode }) => exitCode !== null)) break;
    try {
      const response = await http.request({ method: "GET", path: "/readyz" });
      response.discard();
      if (response.status === 200) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, readyPollMs));
  }
  throw new Error("the server did not get ready");
}

function memoryMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}

function makeDirectory(): { directory: string; tokens: string } {
  const directory = mkdtempSync(join(process.env["KUBETS_BENCH_DIR"] ?? tmpdir(), "kubets-bench-"));
  const tokens = join(directory, "tokens.csv");
  writeFileSync(tokens, `${token},bench,bench,system:masters\n`);
  return { directory, tokens };
}

async function ours(): Promise<Subject> {
  const { directory, tokens } = makeDirectory();
  const port = await freePort();
  const command = [
    ...["./kubets", "apiserver", "--data-dir", join(directory, "data"), "--bind-address", "127.0.0.1"],
    ...["--secure-port", String(port), "--token-auth-file", tokens, "--disable-admission-plugins=ServiceAccount"],
  ];
  return processes({ name: "kubets", directory, port, commands: [command] });
}

/** etcd and kube-apiserver as they come, with certificates that they make themselves; further flags of the latter. */
export async function binaries(binaryDirectory: string, more: readonly string[] = []): Promise<Subject> {
  const { directory, tokens } = makeDirectory();
  const [port, client, peer] = await Promise.all([freePort(), freePort(), freePort()]);
  await openPki(openWorld({ log: silentLogger }), directory);
  const key = join(directory, "pki/sa.key");
  const etcd = [
    ...[join(binaryDirectory, "etcd"), "--data-dir", join(directory, "etcd")],
    ...["--listen-client-urls", `http://127.0.0.1:${client}`, "--advertise-client-urls", `http://127.0.0.1:${client}`],
    ...["--listen-peer-urls", `http://127.0.0.1:${peer}`],
  ];
  const apiServer = [
    ...[join(binaryDirectory, "kube-apiserver"), `--etcd-servers=http://127.0.0.1:${client}`, "--bind-address=127.0.0.1"],
    ...[`--secure-port=${port}`, `--cert-dir=${join(directory, "certs")}`, `--token-auth-file=${tokens}`],
    ...["--authorization-mode=Node,RBAC", "--disable-admission-plugins=ServiceAccount", "--service-cluster-ip-range=10.96.0.0/16"],
    ...[`--service-account-key-file=${key}`, `--service-account-signing-key-file=${key}`],
    "--service-account-issuer=https://kubernetes.default.svc",
    ...more,
  ];
  return processes({ name: "kube-apiserver and etcd", directory, port, commands: [etcd, apiServer] });
}

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => resolve(port));
  });
  return promise;
}

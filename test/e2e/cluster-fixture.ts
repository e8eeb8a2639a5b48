import { execFile, spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);
const outputMaxBytes = 64 << 20;

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `kubets up` wrote of its one node. */
interface NodeFile {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly stateDirectory: string;
}

/** A cluster of real processes, made by `./kubets up`, in a data directory of its own. */
export interface TestCluster extends AsyncDisposable {
  readonly directory: string;
  readonly node: NodeFile;
  /** Runs kubectl. Errors: it ended badly; the message has what it said. */
  kubectl(...args: string[]): Promise<string>;
  /** Runs kubectl whatever comes of it. */
  tryKubectl(...args: string[]): Promise<Output>;
  /** kubectl with something on its standard input, or in its environment. */
  kubectlWith(options: { readonly input?: string; readonly env?: Record<string, string> }, ...args: string[]): Promise<string>;
  /** Runs kubectl until its output holds `wanted`, then ends it. For `-w`, `-f` and `port-forward`. */
  kubectlUntil(wanted: RegExp, ...args: string[]): Promise<string>;
  /** kubectl that goes on; resolves once its output holds `wanted`. */
  startKubectl(wanted: RegExp, ...args: string[]): Promise<Disposable>;
  /** Runs a command in the node's network. */
  inNode(command: string, ...args: string[]): Promise<Output>;
  /** Starts one component in a process of its own. */
  startComponent(name: string, ...args: string[]): ChildProcess;
  up(...args: string[]): Promise<void>;
  /** Pid of the process that `up` started. */
  serverPid(): number;
}

export async function tryRun(
  command: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Record<string, string>; readonly timeoutMs?: number } = {},
): Promise<Output> {
  const child = run(command, [...args], {
    cwd: root,
    maxBuffer: outputMaxBytes,
    timeout: options.timeoutMs ?? 120_000,
    env: { ...process.env, ...options.env },
  });
  if (options.input !== undefined) child.child.stdin?.end(options.input);
  try {
    return { code: 0, ...(await child) };
  } catch (error) {
    const failed = error as { code?: unknown; stdout?: string; stderr?: string };
    return { code: typeof failed.code === "number" ? failed.code : -1, stdout: failed.stdout ?? "", stderr: failed.stderr ?? "" };
  }
}

/** Why a real cluster cannot be made here; undefined when it can. */
export async function clusterObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root";
  for (const program of ["containerd", "runc", "nft", "ip", "nsenter", "busybox"]) {
    if ((await tryRun("sh", ["-c", `command -v ${program}`])).code !== 0) return `needs ${program}`;
  }
  return undefined;
}

/** Starts a cluster. It is removed with all that belongs to it at disposal. */
export async function startCluster(...upArgs: string[]): Promise<TestCluster> {
  const directory = mkdtempSync(join(tmpdir(), "kubets-e2e-"));
  const kubets = (...args: string[]): Promise<Output> => tryRun("./kubets", args);
  const children: ChildProcess[] = [];
  const up = async (...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await kubets("up", "--data-dir", directory, "--detach", ...args);
    if (code !== 0) throw new Error(`up failed: ${stdout}${stderr}${logOf(directory)}`);
  };
  const remove = async (): Promise<void> => {
    for (const child of children) child.kill("SIGKILL");
    await kubets("down", "--data-dir", directory);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await up(...upArgs);
  } catch (error) {
    await remove();
    throw error;
  }
  const { nodes } = JSON.parse(readFileSync(join(directory, "run/cluster.json"), "utf8")) as { nodes: NodeFile[] };
  const [node] = nodes;
  if (node === undefined) throw new Error("the cluster has no node");
  // What kubectl remembers of another cluster at the same address would be taken for this one's.
  const kubectlFlags = ["kubectl", "--data-dir", directory, "--cache-dir", join(directory, "cache")];
  const kubectlArgs = (args: readonly string[]): string[] => [...kubectlFlags, ...args];
  const startKubectl = (wanted: RegExp, args: readonly string[]): Promise<{ child: ChildProcess; output: string }> => {
    const child = spawn("./kubets", kubectlArgs(args), { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    return outputUntil(child, wanted);
  };
  const kubectlWith: TestCluster["kubectlWith"] = async (options, ...args) => {
    const { code, stdout, stderr } = await tryRun("./kubets", kubectlArgs(args), options);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: code ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    directory,
    node,
    up,
    kubectlWith,
    kubectl: (...args) => kubectlWith({}, ...args),
    tryKubectl: (...args) => tryRun("./kubets", kubectlArgs(args)),
    async kubectlUntil(wanted, ...args) {
      const { child, output } = await startKubectl(wanted, args);
      child.kill();
      return output;
    },
    async startKubectl(wanted, ...args) {
      const { child } = await startKubectl(wanted, args);
      return { [Symbol.dispose]: () => void child.kill() };
    },
    inNode: (command, ...args) => tryRun("nsenter", [`--net=/run/netns/${node.namespace}`, command, ...args]),
    startComponent(name, ...args) {
      const log = openSync(join(directory, `${name}.log`), "a");
      const child = spawn("nsenter", [`--net=/run/netns/${node.namespace}`, "./kubets", name, ...args], {
        cwd: root,
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      children.push(child);
      return child;
    },
    serverPid: () => (JSON.parse(readFileSync(join(directory, "run/server.json"), "utf8")) as { pid: number }).pid,
    [Symbol.asyncDispose]: remove,
  };
}

/** The body that a new connection brings, "" when none can be made or nothing comes of it. */
export function httpGet(url: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (text: string) => (body += text));
    response.on("close", () => resolve(body));
  });
  request.on("timeout", () => request.destroy());
  request.on("error", () => resolve(""));
  return promise;
}

/** The body of `url` once it is served. The proxy gives no sign of its own work: curl tries again while connections are refused. */
export async function httpGetWhenServed(url: string): Promise<string> {
  const retries = ["--retry", "60", "--retry-delay", "1", "--retry-connrefused", "--max-time", "5"];
  const { stdout } = await tryRun("curl", ["-sS", ...retries, url]);
  return stdout;
}

async function outputUntil(child: ChildProcess, wanted: RegExp): Promise<{ child: ChildProcess; output: string }> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("the child has no output");
  let output = "";
  let errors = "";
  stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  for await (const line of createInterface({ input: stdout })) {
    output += `${line}\n`;
    if (wanted.test(output)) {
      stdout.resume();
      return { child, output };
    }
  }
  throw new Error(`ended before ${wanted} came: ${output}${errors}`);
}

function logOf(directory: string): string {
  try {
    return readFileSync(join(directory, "kubets.log"), "utf8");
  } catch {
    return "";
  }
}

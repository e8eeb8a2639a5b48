import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import { findKubectl } from "#cmd/kubectl.ts";
import type { World } from "./scenario.ts";
import { endProcess } from "../../tools/end-process.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl with a kubeconfig of this server, and a directory of its own. */
export interface Kubectl extends AsyncDisposable {
  readonly directory: string;
  run(args: readonly string[], input?: string): Promise<Ran>;
  /** Goes on; what it printed first fits `wanted`. */
  start(args: readonly string[], wanted: RegExp): Promise<RegExpExecArray>;
}

export async function openKubectl({ server, namespace }: Pick<World, "server" | "namespace">): Promise<Kubectl> {
  const world = openWorld({ log: silentLogger });
  const program = await findKubectl(world, { path: process.env["PATH"] ?? "", root: join(import.meta.dirname, "../..") });
  const directory = await mkdtemp(join(tmpdir(), "kubets-script-"));
  const kubeconfig = join(directory, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: `https://127.0.0.1:${server.port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: server.token } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace } }],
    "current-context": "x",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const options = { env: { PATH: process.env["PATH"], HOME: directory, KUBECONFIG: kubeconfig } };
  const children: ChildProcess[] = [];
  return {
    directory,
    run: (args, input) =>
      new Promise((resolve) => {
        const child = execFile(program, [...args], options, (error, stdout, stderr) => {
          // A program that cannot be started, or was killed, has no number.
          resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
        });
        child.stdin?.end(input);
      }),
    async start(args, wanted) {
      const child = spawn(program, [...args], { ...options, stdio: ["ignore", "pipe", "inherit"] });
      children.push(child);
      let text = "";
      for await (const chunk of child.stdout) {
        text += String(chunk);
        const found = wanted.exec(text);
        if (found !== null) return found;
      }
      throw new Error(`kubectl ${args.join(" ")} ended: ${text}`);
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) await endProcess(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

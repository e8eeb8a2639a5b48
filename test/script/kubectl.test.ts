import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import { findKubectl } from "#cmd/kubectl.ts";
import { area, scenario, type World } from "./scenario.ts";

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl with a kubeconfig of this server, and a directory of its own. */
interface Kubectl extends AsyncDisposable {
  readonly directory: string;
  run(args: readonly string[], input?: string): Promise<Ran>;
  /** Goes on; what it printed first fits `wanted`. */
  start(args: readonly string[], wanted: RegExp): Promise<RegExpExecArray>;
}

async function openKubectl({ server, namespace }: World): Promise<Kubectl> {
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
          resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
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
      for (const child of children) {
        const gone = once(child, "exit");
        child.kill();
        await gone;
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What a proxy answers for `/api/`. */
function versionsBy(target: { readonly port: number } | { readonly socketPath: string }): Promise<{ versions: string[] }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", ...target, path: "/api/", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => resolve(JSON.parse(text) as { versions: string[] }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

area("[sig-cli] Kubectl client", () => {
  scenario(
    "Kubectl api-versions should check if v1 is in available api versions",
    async (world) => {
      await using kubectl = await openKubectl(world);
      const { code, stdout } = await kubectl.run(["api-versions"]);
      assert.equal(code, 0);
      assert.ok(stdout.split("\n").includes("v1"));
    },
    ["json"],
  );

  scenario(
    "Kubectl diff should check if kubectl diff finds a difference for Deployments",
    async (world) => {
      await using kubectl = await openKubectl(world);
      const deployment = (image: string): string =>
        JSON.stringify({
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "httpd-deployment" },
          spec: {
            replicas: 1,
            selector: { matchLabels: { app: "httpd" } },
            template: { metadata: { labels: { app: "httpd" } }, spec: { containers: [{ name: "httpd", image }] } },
          },
        });
      const created = await kubectl.run(["create", "-f", "-"], deployment("agnhost:2.47"));
      assert.equal(created.code, 0, created.stderr);
      const { code, stdout, stderr } = await kubectl.run(["diff", "-f", "-"], deployment("busybox:1"));
      assert.equal(code, 1, stderr);
      assert.match(stdout, /^-\s+- image: agnhost:2\.47$/m);
      assert.match(stdout, /^\+\s+- image: busybox:1$/m);
    },
    ["json"],
  );

  scenario(
    "Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info",
    async (world) => {
      await using kubectl = await openKubectl(world);
      const { code, stdout } = await kubectl.run(["cluster-info"]);
      assert.equal(code, 0);
      for (const part of ["Kubernetes control plane", "is running at"]) assert.ok(stdout.includes(part), stdout);
    },
    ["json"],
  );

  scenario(
    "Kubectl version should check is all data is printed",
    async (world) => {
      await using kubectl = await openKubectl(world);
      const { code, stdout } = await kubectl.run(["version"]);
      assert.equal(code, 0);
      for (const part of ["Client Version: ", "Server Version: v1.36."]) assert.ok(stdout.includes(part), stdout);
      const { stdout: json } = await kubectl.run(["version", "-o", "json"]);
      const { serverVersion } = JSON.parse(json) as { serverVersion: Record<string, string> };
      for (const field of ["major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"]) {
        assert.notEqual(serverVersion[field] ?? "", "", field);
      }
    },
    ["json"],
  );

  scenario(
    "Proxy server should support proxy with --port 0",
    async (world) => {
      await using kubectl = await openKubectl(world);
      const [, port] = await kubectl.start(["proxy", "-p", "0", "--disable-filter"], /Starting to serve on 127\.0\.0\.1:(\d+)/);
      assert.deepEqual((await versionsBy({ port: Number(port) })).versions, ["v1"]);
    },
    ["json"],
  );

  scenario(
    "Proxy server should support --unix-socket=/path",
    async (world) => {
      await using kubectl = await openKubectl(world);
      const socketPath = join(kubectl.directory, "test");
      await kubectl.start(["proxy", `--unix-socket=${socketPath}`], /Starting to serve on/);
      assert.deepEqual((await versionsBy({ socketPath })).versions, ["v1"]);
    },
    ["json"],
  );
});

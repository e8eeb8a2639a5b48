import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";
import { openKubectl } from "./kubectl.ts";
import { area, scenario } from "./scenario.ts";

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

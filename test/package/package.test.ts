/** What `npm run build && npm pack` makes runs where it is installed: without sources, below another `node_modules`. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { endProcess } from "../../tools/end-process.ts";

const root = join(import.meta.dirname, "../..");
const directory = mkdtempSync(join(tmpdir(), "kubets-package-"));
const modules = join(directory, "node_modules");
const kubets = join(modules, ".bin/kubets");
const environment = { ...process.env, XDG_CACHE_HOME: join(directory, "cache"), NODE_COMPILE_CACHE: "" };

/** As npm would lay it out: all packages side by side. */
before(() => {
  const staged = join(directory, "staged");
  mkdirSync(staged);
  for (const name of ["package.json", "kubets", "samples", "LICENSE", "README.md", "CHANGELOG.md"]) {
    cpSync(join(root, name), join(staged, name), { recursive: true });
  }
  execFileSync(process.execPath, [join(root, "tools/build.ts"), join(staged, "dist")], { stdio: "inherit" });
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--offline", "--pack-destination", directory], { cwd: staged });
  const [tarball] = readdirSync(directory).filter((name) => name.endsWith(".tgz"));
  mkdirSync(join(modules, "kubets"), { recursive: true });
  execFileSync("tar", ["xzf", join(directory, tarball ?? ""), "--strip-components=1", "-C", join(modules, "kubets")]);
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  mkdirSync(join(modules, ".bin"));
  symlinkSync(process.execPath, join(modules, ".bin/node"));
  symlinkSync("../kubets/kubets", kubets);
});

after(() => rmSync(directory, { recursive: true, force: true }));

test("the package holds the bundle, and no sources", () => {
  assert.deepEqual(readdirSync(join(modules, "kubets")).toSorted(), [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "dist",
    "kubets",
    "package.json",
    "samples",
  ]);
});

test("kubets version, --help", () => {
  const run = (argument: string): string => execFileSync(kubets, [argument], { env: environment, encoding: "utf8" });
  assert.match(run("version"), /^kubets \d+\.\d+\.\d+, Kubernetes v1\.36\.2/);
  assert.match(run("--help"), /\n {2}up [^]*\n {2}apiserver [^]*\n {2}controller-manager [^]*\n {2}etcd [^]*\n {2}down /);
});

test("kubets apiserver: answers /readyz", async () => {
  const options = ["--data-dir", join(directory, "data"), "--bind-address", "127.0.0.1", "--secure-port", "0"];
  const child = spawn(kubets, ["apiserver", ...options], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  try {
    let port: string | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      port = /ready on port (\d+)/.exec(line)?.[1];
      if (port !== undefined) break;
    }
    const [response] = await once(get(`https://127.0.0.1:${port}/readyz`, { rejectUnauthorized: false }), "response");
    assert.equal(response.statusCode, 200);
    assert.equal(await text(response), "ok");
  } finally {
    await endProcess(child);
  }
});

test("kubets/start-cluster: a cluster for tests", () => {
  const script = join(directory, "script.mjs");
  writeFileSync(
    script,
    `import { startCluster } from "kubets/start-cluster";
    await using cluster = await startCluster({ nodes: 3 });
    console.log(cluster.kubeconfig.includes(cluster.url));`,
  );
  const out = execFileSync(process.execPath, [script], { env: environment, encoding: "utf8" });
  assert.equal(out, "true\n");
});

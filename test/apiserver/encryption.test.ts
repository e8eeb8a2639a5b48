import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startTestPlugin } from "#apiserver/encryption/testing/kms-plugin.ts";
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { systemRandom } from "#base/os/random.ts";
import { openDurableStore } from "#store/durable.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

const secrets = "/api/v1/namespaces/default/secrets";
const pandas = "/apis/bears.example/v1/namespaces/default/pandas";
const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "pandas.bears.example" },
  spec: {
    group: "bears.example",
    scope: "Namespaced",
    names: { plural: "pandas", singular: "panda", kind: "Panda", listKind: "PandaList" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } } }],
  },
};

interface Told {
  readonly code: number;
  readonly body: Record<string, unknown> & { readonly metadata?: Record<string, string>; readonly message?: string };
}

async function ask(server: TestServer, method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object): Promise<Told> {
  await using http = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const response = await http.request({ method, path, headers: { "content-type": type }, ...(body && { body: JSON.stringify(body) }) });
  const text = Buffer.from(await response.readAll()).toString();
  return { code: response.status, body: (text.startsWith("{") ? JSON.parse(text) : { message: text }) as Told["body"] };
}

const secretOf = (name: string): object => ({ kind: "Secret", apiVersion: "v1", metadata: { name }, stringData: { password: "open-sesame" } });
const pandaOf = (name: string): object => ({ kind: "Panda", apiVersion: "bears.example/v1", metadata: { name }, bamboo: "open-sesame" });

function configuration(...rules: readonly [resources: string, providers: readonly object[]][]): string {
  const resources = rules.map(([list, providers]) => ({ resources: list.split(","), providers }));
  return JSON.stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration", resources });
}

function keysOf(...names: readonly string[]): { keys: { name: string; secret: string }[] } {
  return { keys: names.map((name) => ({ name, secret: Buffer.alloc(32, name).toString("base64") })) };
}

/** A server whose file can be changed while it is down. */
async function encryptedServer(text: string, featureGates = ""): Promise<TestServer & { restartWith(text: string): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-encryption-"));
  const path = join(directory, "enc.yaml");
  await writeFile(path, text);
  const server = await startTestServer({ storage: "durable", featureGates, flags: { encryption: { path, reload: false } } });
  return Object.assign(Object.create(server) as TestServer, {
    async restartWith(next: string) {
      await writeFile(path, next);
      await server.restart();
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  });
}

/** What is in the store's files under a key. The server must be down, or have been when it was last asked. */
async function rawValues(server: TestServer): Promise<Map<string, string>> {
  const copy = await mkdtemp(join(tmpdir(), "kubets-raw-"));
  try {
    await systemFiles.makeDirectory(copy);
    const { saveSnapshot, restoreSnapshot } = await import("#store/store-admin.ts");
    const snapshotPath = join(copy, "snapshot");
    const files = systemFiles;
    await saveSnapshot({ files, directory: join(server.directory, "store"), clock: systemClock, snapshotPath });
    const directory = join(copy, "store");
    await restoreSnapshot({ files, snapshotPath, directory });
    await using store = await openDurableStore({ files, directory, clock: systemClock, random: systemRandom });
    const { entries } = await store.range({ key: "/registry/", end: "/registry0" });
    return new Map(entries.map(({ key, value }) => [key, Buffer.from(value).toString("latin1")]));
  } finally {
    await rm(copy, { recursive: true });
  }
}

test("built-in kinds and custom resources are encrypted as the file says, and read after a restart", async () => {
  const text = configuration(["secrets", [{ aescbc: keysOf("one") }]], ["*.bears.example", [{ secretbox: keysOf("two") }]]);
  await using server = await encryptedServer(text);
  assert.equal((await ask(server, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)).code, 201);
  assert.equal((await ask(server, "POST", secrets, secretOf("s"))).code, 201);
  for (let tries = 0; (await ask(server, "POST", pandas, pandaOf("p"))).code !== 201; tries++) assert.ok(tries < 1000);
  const map = { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "m" }, data: { plain: "yes" } };
  assert.equal((await ask(server, "POST", "/api/v1/namespaces/default/configmaps", map)).code, 201);
  const raw = await rawValues(server);
  assert.match(raw.get("/registry/secrets/default/s") ?? "", /^k8s:enc:aescbc:v1:one:/);
  assert.match(raw.get("/registry/bears.example/pandas/default/p") ?? "", /^k8s:enc:secretbox:v1:two:/);
  assert.match(raw.get("/registry/configmaps/default/m") ?? "", /^\{/);
  for (const value of raw.values()) assert.ok(!/open-sesame|b3Blbi1zZXNhbWU/.test(value));
  await server.restart();
  assert.deepEqual((await ask(server, "GET", `${secrets}/s`)).body["data"], { password: "b3Blbi1zZXNhbWU=" });
  const metrics = (await ask(server, "GET", "/metrics")).body.message ?? "";
  assert.match(
    metrics,
    /apiserver_storage_transformation_operations_total\{resource="secrets",status="OK",transformation_type="from_storage",transformer_prefix="k8s:enc:aescbc:v1:"\} [1-9]/,
  );
  assert.equal((await ask(server, "GET", `${pandas}/p`)).body["bamboo"], "open-sesame");
});

test("an update that changes nothing writes anew what was written with an old key", async () => {
  await using server = await encryptedServer(configuration(["secrets", [{ aesgcm: keysOf("old") }]]));
  const { body: created } = await ask(server, "POST", secrets, secretOf("s"));
  const touch = (): Promise<Told> => ask(server, "PATCH", `${secrets}/s`, { type: "Opaque" });
  assert.equal((await touch()).body.metadata?.["resourceVersion"], created.metadata?.["resourceVersion"]);
  await server.restartWith(configuration(["secrets", [{ secretbox: keysOf("new") }, { aesgcm: keysOf("old") }]]));
  const { body: touched } = await touch();
  assert.notEqual(touched.metadata?.["resourceVersion"], created.metadata?.["resourceVersion"]);
  assert.match((await rawValues(server)).get("/registry/secrets/default/s") ?? "", /^k8s:enc:secretbox:v1:new:/);
  assert.equal((await touch()).body.metadata?.["resourceVersion"], touched.metadata?.["resourceVersion"]);
  await server.restartWith(configuration(["secrets", [{ secretbox: keysOf("new") }]]));
  assert.deepEqual((await ask(server, "GET", `${secrets}/s`)).body["data"], { password: "b3Blbi1zZXNhbWU=" });
});

test("what cannot be read fails with upstream's words, and leaves the rest alone", async () => {
  await using server = await encryptedServer(configuration(["secrets", [{ aesgcm: keysOf("lost") }]]));
  assert.equal((await ask(server, "POST", secrets, secretOf("s"))).code, 201);
  await server.restartWith(configuration(["secrets", [{ aesgcm: keysOf("new") }]]));
  const internal = (problem: string): object => ({ code: 500, message: `Internal error occurred: ${problem}`, reason: "InternalError" });
  const shown = ({ code, body }: Told): object => ({ code, message: body.message, reason: body["reason"] });
  const missing = "no matching key was found for the provided AES transformer";
  assert.deepEqual(shown(await ask(server, "GET", `${secrets}/s`)), internal(missing));
  assert.deepEqual(shown(await ask(server, "DELETE", `${secrets}/s`)), internal(missing));
  assert.deepEqual(shown(await ask(server, "PATCH", `${secrets}/s`, { type: "Opaque" })), internal(missing));
  assert.deepEqual(
    shown(await ask(server, "GET", secrets)),
    internal(`unable to transform key "/registry/secrets/default/s": ${missing}`),
  );
  assert.equal((await ask(server, "POST", secrets, secretOf("other"))).code, 201);
  assert.equal((await ask(server, "GET", `${secrets}/other`)).code, 200);
  assert.equal((await ask(server, "GET", "/api/v1/namespaces/default/configmaps")).code, 200);
  assert.equal((await ask(server, "GET", "/readyz")).code, 200);
});

test("what cannot be read can be removed, by those who may, where the gate is open", async () => {
  const unsafe = "ignoreStoreReadErrorWithClusterBreakingPotential";
  const gate = "AllowUnsafeMalformedObjectDeletion=true";
  await using server = await encryptedServer(configuration(["secrets", [{ aesgcm: keysOf("lost") }]]), gate);
  for (const name of ["s", "t"]) assert.equal((await ask(server, "POST", secrets, secretOf(name))).code, 201);
  const deletion = (more: object = {}): object => ({ kind: "DeleteOptions", apiVersion: "v1", [unsafe]: true, ...more });
  const readable = await ask(server, "DELETE", `${secrets}/s`, deletion());
  assert.equal(readable.code, 422);
  assert.match(readable.body.message ?? "", /is exclusively used to delete corrupt object\(s\), try again by removing this option/);
  await server.restartWith(configuration(["secrets", [{ aesgcm: keysOf("new") }]]));
  assert.equal((await ask(server, "DELETE", `${secrets}/s`)).code, 500);
  const { code, body } = await ask(server, "GET", secrets);
  assert.deepEqual([code, body["reason"], body.message], [500, "StorageReadError", "failed to read one or more secrets from the storage"]);
  const names = ["s", "t"].map((name) => `/registry/secrets/default/${name}`);
  const causes = names.map((field) => ({
    reason: "UnexpectedServerResponse",
    message:
      `StorageError: corrupt object, Code: 7, Key: ${field}, ResourceVersion: 0, AdditionalErrorMsg: data from the storage is ` +
      "not transformable revision=0: no matching key was found for the provided AES transformer",
    field,
  }));
  assert.deepEqual(body["details"], { name: "list", kind: "secrets", causes });
  assert.equal((await ask(server, "DELETE", `${secrets}/t?${unsafe}=true`)).code, 200);
  const graceful = await ask(server, "DELETE", `${secrets}/s`, deletion({ gracePeriodSeconds: 1 }));
  assert.match(graceful.body.message ?? "", /Invalid value: true: cannot be set together with .gracePeriodSeconds/);
  assert.match((await ask(server, "DELETE", secrets, deletion())).body.message ?? "", /is not allowed with DELETECOLLECTION/);
  assert.equal((await ask(server, "DELETE", `${secrets}/s?${unsafe}=true`)).code, 200);
  assert.equal((await ask(server, "GET", `${secrets}/s`)).code, 404);
  assert.equal((await ask(server, "GET", secrets)).code, 200);
});

test("a plugin that keeps the keys is asked for seeds alone", async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-kms-"));
  const socketPath = join(directory, "kms.sock");
  await using plugin = await startTestPlugin(socketPath);
  const kms = { apiVersion: "v2", name: "vault", endpoint: `unix://${socketPath}`, timeout: "1s" };
  await using server = await encryptedServer(configuration(["secrets", [{ kms }]]));
  for (const name of ["a", "b", "c"]) assert.equal((await ask(server, "POST", secrets, secretOf(name))).code, 201);
  assert.deepEqual(plugin.calls, ["Status", "Encrypt"]);
  assert.deepEqual(await ask(server, "GET", "/readyz/kms-providers"), { code: 200, body: { message: "ok" } });
  assert.match((await ask(server, "GET", "/livez?verbose")).body.message ?? "", /\[\+\]kms-providers ok/);
  const raw = await rawValues(server);
  assert.match(raw.get("/registry/secrets/default/b") ?? "", /^k8s:enc:kms:v2:vault:/);
  plugin.keyId = "key-2";
  plugin.calls.length = 0;
  await server.restart();
  const { body } = await ask(server, "GET", secrets);
  assert.equal((body["items"] as unknown[]).length, 3);
  // One seed was behind all three.
  assert.deepEqual(plugin.calls.toSorted(), ["Decrypt", "Encrypt", "Status"]);
  const before = (await ask(server, "GET", `${secrets}/a`)).body.metadata?.["resourceVersion"];
  const after = (await ask(server, "PATCH", `${secrets}/a`, { type: "Opaque" })).body.metadata?.["resourceVersion"];
  assert.notEqual(after, before);
  await rm(directory, { recursive: true, force: true });
});

test("a server without its plugin starts, is not ready, and refuses what it would have to encrypt", async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-kms-"));
  const kms = { apiVersion: "v2", name: "vault", endpoint: `unix://${join(directory, "none.sock")}`, timeout: "50ms" };
  await using server = await encryptedServer(configuration(["secrets", [{ kms }]]));
  const { code, body } = await ask(server, "POST", secrets, secretOf("a"));
  assert.deepEqual([code, body.message], [500, "Internal error occurred: got unexpected nil transformer"]);
  const ready = await ask(server, "GET", "/readyz/kms-providers");
  assert.equal(ready.code, 500);
  assert.match(ready.body.message ?? "", /kms-provider-0: failed to perform status section of the healthz check for KMS Provider vault/);
  assert.equal((await ask(server, "GET", "/api/v1/namespaces/default/configmaps")).code, 200);
  await rm(directory, { recursive: true });
});

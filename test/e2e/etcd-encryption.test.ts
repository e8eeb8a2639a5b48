import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Secret, secrets } from "#api/core/v1/secret.ts";
import { systemClock } from "#base/os/clock.ts";
import { openEtcdStore } from "#store/etcd-client.ts";
import { etcdMissing } from "#store/testing/etcd-process.ts";
import { startControlPlane } from "./etcd-fixture.ts";

const secretOf = (name: string): Secret => ({
  kind: "Secret",
  apiVersion: "v1",
  metadata: { name, namespace: "default" },
  stringData: { password: "open-sesame" },
});

const configuration = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "EncryptionConfiguration",
  resources: [{ resources: ["*.*"], providers: [{ aesgcm: { keys: [{ name: "k", secret: Buffer.alloc(32, "k").toString("base64") }] } }] }],
};

test("API servers on one etcd read what each other encrypted", { skip: await etcdMissing(), timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-etcd-encryption-"));
  const path = join(directory, "enc.json");
  await writeFile(path, JSON.stringify(configuration));
  try {
    await using cluster = await startControlPlane({ members: 1, servers: 2, args: ["--encryption-provider-config", path] });
    const [a, b] = cluster.servers.map(({ client }) => client.resource(secrets));
    assert.ok(a !== undefined && b !== undefined);
    const { resourceVersion } = await b.list({ namespace: "default" });
    const seen = Promise.withResolvers<Secret>();
    using _watch = b.watch(
      { namespace: "default", resourceVersion },
      { onEvent: (event) => event.type === "ADDED" && seen.resolve(event.object), onClosed: (error) => seen.reject(error) },
    );
    await a.create(secretOf("one"));
    assert.deepEqual((await seen.promise).data, { password: "b3Blbi1zZXNhbWU=" });
    assert.deepEqual((await b.get("default/one")).data, { password: "b3Blbi1zZXNhbWU=" });
    await b.update({ ...(await b.get("default/one")), data: { password: "bmV3" } });
    assert.deepEqual((await a.get("default/one")).data, { password: "bmV3" });
    await using raw = await openEtcdStore({ endpoints: cluster.etcd.endpoints, clock: systemClock });
    const { entries } = await raw.range({ key: "/registry/", end: "/registry0" });
    const values = new Map(entries.map(({ key, value }) => [key, Buffer.from(value).toString("latin1")]));
    for (const key of ["/registry/secrets/default/one", "/registry/namespaces/default", "/registry/clusterroles/admin"]) {
      assert.match(values.get(key) ?? "", /^k8s:enc:aesgcm:v1:k:/, key);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

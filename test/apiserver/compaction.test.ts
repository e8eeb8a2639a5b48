import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { isExpired, StatusError } from "#apimachinery/status.ts";
import { Lifetime } from "#base/lifetime.ts";
import { type Logger, silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import type { Client } from "#client/client.ts";
import { loopbackFlags } from "#cmd/api-server-component.ts";
import { startServer } from "#cmd/server.ts";
import { etcdMissing, startEtcd } from "#store/testing/etcd-process.ts";

/** Long enough to read the rest of a list before the next compaction but one. */
const intervalMs = 1_000;
const missing = await etcdMissing();
const etcd = missing === false ? await startEtcd({ size: 1 }) : undefined;
after(() => etcd?.[Symbol.asyncDispose]());

interface Subject extends AsyncDisposable {
  readonly client: Client;
  /** Resolves when the server has compacted its store above a revision. */
  compactedAbove(revision: number): Promise<void>;
}

async function start(storage: "memory" | "durable" | "etcd"): Promise<Subject> {
  const dataDirectory = await mkdtemp(join(tmpdir(), "kubets-compaction-"));
  const lifetime = new Lifetime("test");
  lifetime.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  const compaction = compactionLog();
  const server = await startServer(
    openWorld({ log: compaction.log }),
    {
      dataDirectory,
      components: new Set(["apiserver"]),
      storage: storage === "etcd" ? "memory" : storage,
      ...(storage === "etcd" && { etcd: { endpoints: etcd?.endpoints ?? [] } }),
      apiServer: { ...loopbackFlags, compactionIntervalMs: intervalMs },
      advertiseAddress: "127.0.0.1",
      featureGates: "",
    },
    lifetime,
  );
  return {
    client: server.api.server.loopback,
    compactedAbove: compaction.above,
    [Symbol.asyncDispose]: () => lifetime.end(),
  };
}

/** A log that hears of compactions. */
function compactionLog(): { readonly log: Logger; above(revision: number): Promise<void> } {
  let compacted = 0;
  let heard = Promise.withResolvers<void>();
  const log: Logger = {
    ...silentLogger,
    debug(message, values) {
      if (message !== "Compacted store") return;
      compacted = Number(values?.["revision"]);
      heard.resolve();
      heard = Promise.withResolvers<void>();
    },
    named: () => log,
  };
  return {
    log,
    async above(revision) {
      while (compacted <= revision) await heard.promise;
    },
  };
}

const total = 40;
const limit = 4;

/** Upstream's test/e2e/apimachinery/chunking.go, with the store's own compaction. */
async function readThroughCompaction({ client, compactedAbove }: Subject): Promise<void> {
  const resource = client.resource(configMaps);
  const named = (i: number): ConfigMap => ({
    metadata: { namespace: "default", name: `template-${String(i).padStart(4, "0")}`, labels: { chunks: "" } },
  });
  await Promise.all(Array.from({ length: total }, (_, i) => resource.create(named(i))));
  const selection = { namespace: "default", labelSelector: "chunks" };
  const first = await resource.list({ ...selection, limit });
  await resource.create({ metadata: { namespace: "default", name: "unrelated" } });
  await compactedAbove(Number(first.resourceVersion));
  const refused: unknown = await resource.list({ ...selection, limit, continue: first.continue ?? "" }).catch((e: unknown) => e);
  assert.ok(refused instanceof StatusError && isExpired(refused), String(refused));
  assert.equal(refused.status.code, 410);
  const inconsistent = (refused.status.metadata as { continue?: string }).continue ?? "";
  const rest = await resource.list({ ...selection, limit, continue: inconsistent });
  assert.notEqual(rest.resourceVersion, first.resourceVersion);
  const names = [...first.items, ...rest.items].map(({ metadata }) => metadata?.name);
  for (let page = rest; page.continue !== undefined && page.continue !== "";) {
    page = await resource.list({ ...selection, limit, continue: page.continue });
    assert.equal(page.resourceVersion, rest.resourceVersion);
    names.push(...page.items.map(({ metadata }) => metadata?.name));
  }
  assert.deepEqual(
    names,
    Array.from({ length: total }, (_, i) => named(i).metadata?.name),
  );
}

for (const storage of ["memory", "durable", "etcd"] as const) {
  test(`a list goes on over a compaction, on ${storage}`, { skip: storage === "etcd" && missing }, async () => {
    await using subject = await start(storage);
    await readThroughCompaction(subject);
  });
}

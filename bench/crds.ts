/**
 * What CustomResourceDefinitions cost: memory and time for each, idle and with one instance.
 *
 *   node --expose-gc bench/crds.ts [COUNT] [PROPERTIES]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject } from "#apimachinery/object.ts";
import type { HttpClient } from "#base/http.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import type { ApiServer } from "#apiserver/server.ts";
import type { ResourceTarget } from "#client/client.ts";
import { loopbackFlags } from "#cmd/api-server-component.ts";
import { startServer } from "#cmd/server.ts";

const crds: ResourceTarget = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  scope: "Cluster",
};

/** Ten properties to an object, with descriptions as real charts have them. */
function schemaOf(properties: number): object {
  const groups = Math.ceil(properties / 10);
  const leaf = (i: number): object => ({
    type: i % 3 === 0 ? "integer" : "string",
    description: `Field ${i} says how this part behaves when the controller reconciles it.`,
  });
  const group = (at: number): object => ({
    type: "object",
    description: `Group ${at} of settings.`,
    properties: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`field${at}x${i}`, leaf(i)])),
  });
  const spec = Object.fromEntries(Array.from({ length: groups }, (_, i) => [`group${i}`, group(i)]));
  return {
    type: "object",
    properties: { spec: { type: "object", properties: spec }, status: { type: "object" } },
  };
}

function definition(i: number, properties: number): KubeObject {
  return {
    metadata: { name: `widgets.g${i}.example.com` },
    spec: {
      group: `g${i}.example.com`,
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schemaOf(properties) },
          subresources: { status: {} },
        },
      ],
    },
  } as KubeObject;
}

function instance(i: number): { target: ResourceTarget; object: KubeObject } {
  const target: ResourceTarget = {
    group: `g${i}.example.com`,
    version: "v1",
    plural: "widgets",
    kind: "Widget",
    scope: "Namespaced",
  };
  const spec = { group0: { field0x0: 1, field0x1: "x" } };
  return { target, object: { metadata: { namespace: "default", name: "w" }, spec } as KubeObject };
}

function heapMiB(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20 + process.memoryUsage().arrayBuffers / 2 ** 20;
}

/** What stays when history goes, as it does every five minutes. */
async function compact(server: ApiServer): Promise<void> {
  for (const { storage } of server.table.endpoints()) {
    await storage.store.compact(storage.store.revision);
    return;
  }
}

interface Figures {
  readonly heapMiBEach: number;
  readonly msEach: number;
}

async function measure(server: ApiServer, count: number, work: (i: number) => Promise<unknown>): Promise<Figures> {
  const heapBefore = heapMiB();
  const started = performance.now();
  for (let i = 0; i < count; i++) await work(i);
  const msEach = (performance.now() - started) / count;
  await compact(server);
  return { heapMiBEach: (heapMiB() - heapBefore) / count, msEach };
}

function show(what: string, { heapMiBEach, msEach }: Figures): void {
  console.log(`${what.padEnd(34)} ${heapMiBEach.toFixed(3)} MiB  ${msEach.toFixed(2)} ms each`);
}

async function run(server: ApiServer, count: number, properties: number): Promise<void> {
  const client = server.loopback;
  const api = client.dynamic(crds);
  show(`${properties} properties, served`, await measure(server, count, (i) => api.create(definition(i, properties))));
  const used = await measure(server, count, (i) => {
    const { target, object } = instance(i);
    return client.dynamic(target).create(object);
  });
  show("and one instance of each", used);
}

/** What definitions cost the process that serves them, seen from outside. */
export interface DefinitionCosts {
  /** From the request until an instance was made. */
  readonly msEach: number;
  readonly memoryMiBEach: number;
}

/** Makes definitions and an instance of each as soon as that can be, and removes them. */
export async function definitionCosts(
  http: HttpClient,
  { memoryMiB, count, properties }: { readonly memoryMiB: () => number; readonly count: number; readonly properties: number },
): Promise<DefinitionCosts> {
  const ask = async (method: string, path: string, body?: object): Promise<number> => {
    const headers = { accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }) };
    const response = await http.request({ method, path, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    await response.readAll();
    return response.status;
  };
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const before = memoryMiB();
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    const head = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
    const made = await ask("POST", path, { ...head, ...definition(i, properties) });
    if (made !== 201) throw new Error(`a definition: ${made}`);
    const { target, object } = instance(i);
    const apiVersion = `${target.group}/${target.version}`;
    const url = `/apis/${apiVersion}/namespaces/default/${target.plural}`;
    // Servers that announce a definition before they serve it are asked again.
    while ((await ask("POST", url, { apiVersion, kind: target.kind, ...object })) !== 201);
  }
  const msEach = (performance.now() - began) / count;
  const memoryMiBEach = (memoryMiB() - before) / count;
  for (let i = 0; i < count; i++) await ask("DELETE", `${path}/${definition(i, 0).metadata?.name ?? ""}`);
  return { msEach, memoryMiBEach };
}

async function main([count = "200", properties = "200"]: readonly string[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-bench-"));
  const lifetime = new Lifetime("bench");
  const { api } = await startServer(
    openWorld({ log: silentLogger }),
    {
      dataDirectory: directory,
      components: new Set(["apiserver"]),
      storage: "memory",
      advertiseAddress: "127.0.0.1",
      featureGates: "",
      apiServer: { ...loopbackFlags, disableAdmissionPlugins: ["ServiceAccount"] },
    },
    lifetime,
  );
  await run(api.server, Number(count), Number(properties));
  await lifetime.end();
  await rm(directory, { recursive: true, force: true });
}

if (import.meta.main) await main(process.argv.slice(2));

import assert from "node:assert/strict";
import { once } from "node:events";
import type { HttpClient, HttpExchange } from "#base/http.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { systemClock } from "#base/os/clock.ts";
import { createClient } from "#client/client.ts";
import { createHttpTransport } from "#client/http-transport.ts";
import { switchProtocols } from "#wire/switching-protocols.ts";
import { at, refused } from "./api.ts";
import { encodings, type Thing } from "./encoding.ts";
import { type ExtensionServer, serveExtension } from "./extension-server.ts";
import { change } from "./operations.ts";
import { createSampleApiServer, type SampleApiServer, wardle } from "./sample-api-server.ts";
import { area, scenario, type World } from "./scenario.ts";

const rbac = "rbac.authorization.k8s.io";
const name = `${wardle.version}.${wardle.group}`;
const service = "sample-api";
const path = (namespace: string): string => `/apis/${wardle.group}/${wardle.version}/namespaces/${namespace}/${wardle.plural}`;

/** A client of the API server with the rights that extension servers get. */
async function delegate(world: World): Promise<HttpClient> {
  const account = "sample-apiserver";
  await world.own("v1", "serviceaccounts").create({ metadata: { name: account } });
  const subjects = [{ kind: "ServiceAccount", name: account, namespace: world.namespace }];
  const metadata = { name: `wardler-${world.unique}` };
  const toRole = (kind: string, of: string): object => ({ metadata, subjects, roleRef: { apiGroup: rbac, kind, name: of } });
  await world.all(`${rbac}/v1`, "clusterrolebindings").create(toRole("ClusterRole", "system:auth-delegator"));
  const system = world.api.objects(`${rbac}/v1`, "rolebindings", "kube-system");
  await system.create(toRole("Role", "extension-apiserver-authentication-reader"));
  const request: Thing = { kind: "TokenRequest", apiVersion: "authentication.k8s.io/v1", metadata: {}, spec: { audiences: [] } };
  const made = await world.own("v1", "serviceaccounts").post(account, "token", request);
  const token = String(at(made, "status", "token"));
  return createHttpClient({ baseUrl: `https://127.0.0.1:${world.server.port}`, tls: { insecure: true }, token });
}

/** Sends back what it gets, behind the name of who asks. */
function echo(exchange: HttpExchange): void {
  const user = exchange.headers["x-remote-user"];
  const taken = switchProtocols(exchange, { upgrade: "echo", connection: "Upgrade" });
  if (taken === undefined) return;
  const { socket, head } = taken;
  socket.write(`${user} from ${exchange.peerCertificate?.commonName}: `);
  socket.write(head);
  socket.pipe(socket);
}

interface Sample extends AsyncDisposable {
  readonly sample: SampleApiServer;
  readonly port: number;
}

/** Runs the sample server behind a Service, and registers it. */
async function register(world: World): Promise<Sample> {
  const http = await delegate(world);
  const client = createClient({ transport: createHttpTransport({ http, clock: systemClock }), userAgent: "sample" });
  const configMaps = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", scope: "Namespaced" } as const;
  const published = await client.dynamic(configMaps).get("kube-system/extension-apiserver-authentication");
  const frontProxyCa = String(at(published, "data", "requestheader-client-ca-file"));
  const sample = await createSampleApiServer({ client, frontProxyCa });
  const handle = (exchange: HttpExchange): Promise<void> | void =>
    exchange.upgrade === undefined ? sample.server.handle(exchange) : echo(exchange);
  const dnsNames = [`${service}.${world.namespace}.svc`];
  const server: ExtensionServer = await serveExtension(handle, { dnsNames, clientCa: frontProxyCa });
  await world.own("v1", "services").create({ metadata: { name: service }, spec: { type: "ExternalName", externalName: "localhost" } });
  await world.all("apiregistration.k8s.io/v1", "apiservices").create({
    metadata: { name, labels: { "sample-api": world.unique } },
    spec: {
      group: wardle.group,
      version: wardle.version,
      groupPriorityMinimum: 2000,
      versionPriority: 200,
      service: { namespace: world.namespace, name: service, port: server.port },
      caBundle: server.caBundle,
    },
  });
  return {
    sample,
    port: server.port,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      sample[Symbol.dispose]();
      await http[Symbol.asyncDispose]();
    },
  };
}

/** Waits for the Available condition to have this status; its reason. */
async function availability(world: World, status: string): Promise<unknown> {
  using watch = await world.all("apiregistration.k8s.io/v1", "apiservices").watch({ fieldSelector: `metadata.name=${name}` });
  const conditionOf = (object: Thing): unknown =>
    (at(object, "status", "conditions") as { readonly type: string }[] | undefined)?.find(({ type }) => type === "Available");
  const events = await watch.until(({ object }) => at(conditionOf(object), "status") === status);
  return at(conditionOf(events.at(-1)?.object as Thing), "reason");
}

/** As this user, who has no other rights than those of the world's roles. */
async function askAs(world: World, user: string, method: string, url: string, body?: object): Promise<{ code: number; body: unknown }> {
  return world.api.in(encodings.json).ask(method, url, {
    headers: { "impersonate-user": user, "x-remote-user": "mallory" },
    ...(body && { body: Buffer.from(JSON.stringify(body)) }),
  });
}

async function permit(world: World, user: string): Promise<void> {
  const metadata = { name: `wardler-${user}-${world.unique}` };
  const rules = [{ apiGroups: [wardle.group], resources: [wardle.plural], verbs: ["create", "delete", "get", "list", "watch"] }];
  await world.all(`${rbac}/v1`, "clusterroles").create({ metadata, rules });
  const roleRef = { apiGroup: rbac, kind: "ClusterRole", name: metadata.name };
  await world.all(`${rbac}/v1`, "clusterrolebindings").create({ metadata, subjects: [{ kind: "User", name: user, apiGroup: rbac }], roleRef });
}

function flunder(of: string): object {
  return { apiVersion: `${wardle.group}/${wardle.version}`, kind: wardle.kind, metadata: { name: of }, spec: { reference: "x" } };
}

/** Flunders come and go, as the caller and by leave of the server in front. */
async function servesFlunders(world: World, { sample }: Sample): Promise<void> {
  const jane = `jane-${world.unique}`;
  await permit(world, jane);
  const url = path(world.namespace);
  assert.equal((await askAs(world, jane, "POST", url, flunder("rest-flunder"))).code, 201);
  const { body } = await askAs(world, jane, "GET", url);
  assert.deepEqual([at(body, "kind"), at(body, "items", 0, "metadata", "name")], ["FlunderList", "rest-flunder"]);
  assert.equal((await askAs(world, jane, "DELETE", `${url}/rest-flunder`)).code, 200);
  assert.deepEqual(at((await askAs(world, jane, "GET", url)).body, "items"), []);
  const mine = sample.reviews.filter(({ user }) => user === jane);
  assert.deepEqual(mine.map(({ verb, path: of, allowed }) => [verb, of, allowed]), [
    ["create", "flunders", true],
    ["list", "flunders", true],
    ["delete", "flunders", true],
    ["list", "flunders", true],
  ]);
  assert.equal((await askAs(world, "mallory", "GET", url)).code, 403);
  assert.ok(!sample.reviews.some(({ user }) => user === "mallory"));
}

/** Who does not come from the front proxy is whoever the server itself takes him for. */
async function distrustsHeaders(world: World, { sample, port }: Sample): Promise<void> {
  await using direct = createHttpClient({ baseUrl: `https://127.0.0.1:${port}`, tls: { insecure: true } });
  const headers = { "x-remote-user": "admin", "x-remote-group": "system:masters" };
  const answer = await direct.request({ method: "GET", path: path(world.namespace), headers });
  assert.equal(answer.status, 403);
  assert.match(Buffer.from(await answer.readAll()).toString(), /User \\"system:anonymous\\" cannot list resource \\"flunders\\"/);
  assert.deepEqual(sample.reviews.at(-1), { user: "system:anonymous", verb: "list", path: "flunders", allowed: false });
}

async function servesDynamicClients(world: World): Promise<void> {
  const { api, namespace } = world;
  const document = await api.get(`/apis/${wardle.group}/${wardle.version}`);
  const found = (document["resources"] as { readonly name: string }[]).find((one) => one.name === wardle.plural);
  assert.deepEqual(at(found, "kind"), wardle.kind);
  const objects = api.in(encodings.json).objects(`${wardle.group}/${wardle.version}`, wardle.plural, namespace, wardle.kind);
  using watch = await objects.watch();
  await objects.create({ metadata: { name: "dynamic-flunder" } });
  assert.equal((await objects.list()).items.length, 1);
  const patched = await objects.patch("dynamic-flunder", { type: "merge", body: { spec: { reference: "y" } } });
  assert.equal(at(patched, "spec", "reference"), "y");
  await objects.delete("dynamic-flunder");
  assert.deepEqual((await objects.list()).items, []);
  const types = [await watch.next(), await watch.next(), await watch.next()].map(({ type }) => type);
  assert.deepEqual(types, ["ADDED", "MODIFIED", "DELETED"]);
}

/** A changed protocol runs through both servers. */
async function passesUpgrades(world: World): Promise<void> {
  const { port, token } = world.server;
  await using http = createHttpClient({ baseUrl: `https://127.0.0.1:${port}`, tls: { insecure: true }, token });
  const result = await http.upgrade({ path: `${path(world.namespace)}/x/echo`, headers: { upgrade: "echo" } });
  assert.ok(result.upgraded);
  const { socket } = result;
  let text = Buffer.from(result.head).toString();
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write("hello");
  while (!text.endsWith("hello")) await once(socket, "data");
  assert.equal(text, "admin from front-proxy-client: hello");
  socket.destroy();
}

/** The registration itself is an object like others. */
async function changesRegistration(world: World): Promise<void> {
  const registrations = world.all("apiregistration.k8s.io/v1", "apiservices");
  assert.equal((await registrations.get(name, "status")).metadata.name, name);
  const patched = await registrations.patch(name, { type: "merge", body: { spec: { versionPriority: 400 } } });
  assert.equal(at(patched, "spec", "versionPriority"), 400);
  const { items } = await registrations.list();
  assert.ok(items.some(({ metadata, ...rest }) => metadata.name === name && at(rest, "spec", "versionPriority") === 400));
  const condition = { type: "StatusUpdated", status: "True", reason: "E2E", message: "Set from e2e test" };
  const updated = await change(registrations, name, (old) => ({ status: { conditions: [...(at(old, "status", "conditions") as object[]), condition] } }), "status");
  assert.ok((at(updated, "status", "conditions") as object[]).some((one) => at(one, "type") === "StatusUpdated"));
}

area("[sig-api-machinery] Aggregator", () => {
  scenario("Should be able to support the 1.17 Sample API Server using the current Aggregator [LinuxOnly]", async (world) => {
    const registrations = world.all("apiregistration.k8s.io/v1", "apiservices");
    {
      await using running = await register(world);
      assert.equal(await availability(world, "True"), "Passed");
      await servesFlunders(world, running);
      await distrustsHeaders(world, running);
      await servesDynamicClients(world);
      await passesUpgrades(world);
      await changesRegistration(world);
    }
    assert.equal((await world.api.ask("GET", path(world.namespace))).code, 503);
    assert.equal(await availability(world, "False"), "FailedDiscoveryCheck");
    assert.equal((await world.api.ask("GET", path(world.namespace))).code, 503);
    await registrations.deleteAll({ labelSelector: `sample-api=${world.unique}` });
    await refused(registrations.get(name), 404);
    assert.equal((await world.api.ask("GET", path(world.namespace))).code, 404);
  });
});

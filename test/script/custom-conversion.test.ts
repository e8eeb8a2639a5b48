import assert from "node:assert/strict";
import type { HttpHandler } from "#base/http.ts";
import { namesOf, type Watch } from "./api.ts";
import { type Custom, define, type Version } from "./custom.ts";
import type { Thing } from "./encoding.ts";
import { serveExtension } from "./extension-server.ts";
import { change } from "./operations.ts";
import { area, scenario, type World } from "./scenario.ts";

/** v1 has `hostPort`, v2 has `host` and `port`. */
function converted({ hostPort, host, port, ...rest }: Thing, apiVersion: string): object {
  if (apiVersion === rest.apiVersion) return { ...rest, hostPort, host, port };
  if (apiVersion.endsWith("/v1")) return { ...rest, apiVersion, hostPort: `${String(host)}:${String(port ?? "")}` };
  const [name, number] = String(hostPort).split(":");
  return { ...rest, apiVersion, host: name, ...(number !== "" && { port: number }) };
}

const convert: HttpHandler = async (exchange) => {
  const { apiVersion, request } = JSON.parse(Buffer.from(await exchange.readBody(1 << 24)).toString("utf8")) as {
    readonly apiVersion: string;
    readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly Thing[] };
  };
  const convertedObjects = request.objects.map((object) => converted(object, request.desiredAPIVersion));
  const response = { uid: request.uid, result: { status: "Success" }, convertedObjects };
  const body = JSON.stringify({ kind: "ConversionReview", apiVersion, response });
  exchange.respond(200, { "content-type": "application/json" }, body);
};

const string = { type: "string" };
const v1: Version = { name: "v1", schema: { type: "object", properties: { hostPort: string } } };
const v2: Version = { name: "v2", schema: { type: "object", properties: { host: string, port: string } } };
const service = "e2e-test-crd-conversion-webhook";

/** Runs with a kind of two versions, which a webhook behind a Service converts. */
async function converting(world: World, versions: readonly Version[], run: (custom: Custom) => Promise<void>): Promise<void> {
  await using server = await serveExtension(convert, { dnsNames: [`${service}.${world.namespace}.svc`] });
  const spec = { type: "ExternalName", externalName: "localhost" };
  await world.own("v1", "services").create({ metadata: { name: service }, spec });
  const at = { namespace: world.namespace, name: service, path: "/crdconvert", port: server.port };
  const webhook = { clientConfig: { service: at, caBundle: server.caBundle }, conversionReviewVersions: ["v1", "v1beta1"] };
  const custom = await define(world, { versions, conversion: { strategy: "Webhook", webhook } });
  await run(custom);
  const name = custom.definition.metadata.name ?? "";
  using watch = await custom.definitions.watch({ fieldSelector: `metadata.name=${name}` });
  await custom.definitions.delete(name);
  await watch.until(({ type }) => type === "DELETED");
}

area("[sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin]", () => {
  scenario("should be able to convert from CR v1 to CR v2", (world) =>
    converting(world, [v1, v2], async ({ objects }) => {
      await objects("v1").create({ metadata: { name: "cr-instance-1" }, hostPort: "localhost:8080" });
      const { host, port, hostPort, apiVersion } = await objects("v2").get("cr-instance-1");
      assert.deepEqual([host, port, hostPort], ["localhost", "8080", undefined]);
      assert.match(apiVersion ?? "", /\/v2$/);
    }));

  scenario("should be able to convert a non homogeneous list of CRs", (world) =>
    converting(world, [v1, v2], async ({ objects, definitions, definition }) => {
      await objects("v1").create({ metadata: { name: "cr-instance-1" }, hostPort: "localhost:8080" });
      const body = [false, true].map((value, i) => ({ op: "replace", path: `/spec/versions/${i}/storage`, value }));
      await definitions.patch(definition.metadata.name ?? "", { type: "json", body });
      await objects("v2").create({ metadata: { name: "cr-instance-2" }, host: "localhost", port: "8080" });
      const first = (await objects("v1").list()).items;
      assert.deepEqual(first.map(({ hostPort, host }) => [hostPort, host]), Array(2).fill(["localhost:8080", undefined]));
      const second = (await objects("v2").list()).items;
      assert.deepEqual(second.map(({ host, port, hostPort }) => [host, port, hostPort]), Array(2).fill(["localhost", "8080", undefined]));
    }));
});

/** The next events of a watch as `TYPE name`. */
async function told(watch: Watch, count: number): Promise<string[]> {
  const found: string[] = [];
  for (let i = 0; i < count; i++) {
    const { type, object } = await watch.next();
    found.push(`${type} ${object.metadata.name}`);
  }
  return found.toSorted();
}

const selectable = (version: Version, ...paths: readonly string[]): Version => ({
  ...version,
  selectableFields: paths.map((jsonPath) => ({ jsonPath })),
});

area("[sig-api-machinery] CustomResourceFieldSelectors [Privileged:ClusterAdmin]", () => {
  scenario("CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector", (world) => {
    const versions = [selectable(v1, ".hostPort"), selectable(v2, ".host", ".port")];
    return converting(world, versions, async ({ objects }) => {
      const [first, second] = [objects("v1"), objects("v2")];
      const host = { fieldSelector: "host=host1" };
      const hostAndPort = { fieldSelector: "host=host1,port=80" };
      const hostPort = (port: number) => ({ fieldSelector: `hostPort=host1:${port}` });
      using hostWatch = await second.watch(host);
      using hostAndPortWatch = await second.watch(hostAndPort);
      using hostPortWatch = await first.watch(hostPort(80));
      await second.create({ metadata: { name: "a" }, host: "host1", port: "80" });
      await second.create({ metadata: { name: "b" }, host: "host1", port: "8080" });
      await second.create({ metadata: { name: "c" }, host: "host2" });
      assert.deepEqual(namesOf(await second.list(host)), ["a", "b"]);
      assert.deepEqual(namesOf(await second.list(hostAndPort)), ["a"]);
      assert.deepEqual(namesOf(await first.list(hostPort(80))), ["a"]);
      assert.deepEqual(namesOf(await first.list(hostPort(8080))), ["b"]);
      assert.deepEqual(await told(hostWatch, 2), ["ADDED a", "ADDED b"]);
      assert.deepEqual(await told(hostAndPortWatch, 1), ["ADDED a"]);
      assert.deepEqual(await told(hostPortWatch, 1), ["ADDED a"]);
      await second.deleteAll(hostAndPort);
      await change(second, "b", { host: "host2" });
      assert.deepEqual(namesOf(await second.list(host)), []);
      assert.deepEqual(namesOf(await second.list(hostAndPort)), []);
      assert.deepEqual(await told(hostWatch, 2), ["DELETED a", "DELETED b"]);
      assert.deepEqual(await told(hostAndPortWatch, 1), ["DELETED a"]);
      assert.deepEqual(await told(hostPortWatch, 1), ["DELETED a"]);
    });
  });
});

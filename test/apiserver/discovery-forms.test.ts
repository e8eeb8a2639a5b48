import assert from "node:assert/strict";
import { test } from "node:test";
import { APIGroupDiscoveryList } from "#api/apidiscovery/v2/api-group-discovery.ts";
import { APIGroup, APIGroupList, APIResourceList, APIVersions } from "#apimachinery/meta/discovery.ts";
import { encodeJson } from "#apimachinery/json-encode.ts";
import { decodeProto } from "#apimachinery/proto-decode.ts";
import { unwrapUnknown } from "#apimachinery/proto-envelope.ts";
import { parseYaml } from "#wire/yaml.ts";
import { get, startTestServer } from "./server-fixture.ts";

const protobuf = "application/vnd.kubernetes.protobuf";
const aggregated = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const documents = [
  ["/api", "", APIVersions],
  ["/apis", "", APIGroupList],
  ["/apis/apps", "", APIGroup],
  ["/api/v1", "", APIResourceList],
  ["/apis/apps/v1", "", APIResourceList],
  ["/api", aggregated, APIGroupDiscoveryList],
  ["/apis", aggregated, APIGroupDiscoveryList],
] as const;

test("discovery as protobuf and YAML says what it says as JSON", async () => {
  await using server = await startTestServer();
  for (const [path, parameters, schema] of documents) {
    const json = await get(server, path, { accept: `application/json${parameters}` });
    assert.equal(json.headers["content-type"], `application/json${parameters}`);
    const wanted = JSON.parse(json.body.toString()) as { kind: string; apiVersion?: string };
    const yaml = await get(server, path, { accept: `application/yaml${parameters}` });
    assert.equal(yaml.headers["content-type"], `application/yaml${parameters}`);
    assert.deepEqual(parseYaml(yaml.body).value, wanted, path);
    const proto = await get(server, path, { accept: protobuf + parameters });
    assert.equal(proto.headers["content-type"], protobuf + parameters);
    const unknown = unwrapUnknown(proto.body);
    assert.deepEqual([unknown?.kind, unknown?.apiVersion], [wanted.kind, wanted.apiVersion ?? ""]);
    const decoded = decodeProto<object>(schema, unknown?.raw ?? new Uint8Array());
    const found = JSON.parse(Buffer.from(encodeJson(schema, decoded)).toString()) as object;
    const { kind: _kind, apiVersion: _version, ...rest } = JSON.parse(Buffer.from(encodeJson(schema, wanted)).toString()) as typeof wanted;
    assert.deepEqual(found, rest, path);
  }
});

test("aggregated discovery is kept by its ETag, whatever the form", async () => {
  await using server = await startTestServer();
  const { headers } = await get(server, "/apis", { accept: `application/json${aggregated}` });
  const { etag = "" } = headers;
  assert.deepEqual([headers["vary"], headers["cache-control"]], ["Accept", "public"]);
  const again = await get(server, "/apis", { accept: protobuf + aggregated, "if-none-match": etag });
  assert.deepEqual([again.status, again.body.length, again.headers["etag"]], [304, 0, etag]);
});

const indents = [
  ["/apis", "kubectl/v1.36", false],
  ["/apis", "curl/8.0", true],
  ["/apis?pretty=false", "curl/8.0", false],
  ["/apis?pretty=1", "kubectl/v1.36", true],
  ["/apis?pretty=whatever", "kubectl/v1.36", false],
  ["/api/v1/namespaces", "curl/8.0", true],
  ["/api/v1/namespaces/none", "Wget/1", true],
  ["/api/v1/namespaces", "kubectl/v1.36", false],
  ["/version", "kubectl/v1.36", true],
] as const;

test("JSON is indented for people", async () => {
  await using server = await startTestServer();
  for (const [path, userAgent, wanted] of indents) {
    const { body } = await get(server, path, { "user-agent": userAgent });
    assert.equal(body.includes("{\n  \""), wanted, `${path} ${userAgent}`);
  }
});

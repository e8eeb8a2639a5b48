import assert from "node:assert/strict";
import type { Status } from "#apimachinery/status.ts";
import { queryOf } from "./api.ts";
import { area, scenario, type World } from "./scenario.ts";

const pod = '{"metadata":{"labels":{"app":"nginx"}},"spec":{"containers":[{"name":"nginx","image":"nginx:latest"}]}}';

async function postStrict({ api, namespace }: World, metadata: string, spec: string): Promise<Status> {
  const text = `{"apiVersion":"apps/v1","kind":"Deployment",
    "metadata":{"name":"my-dep",${metadata}"labels":{"app":"nginx"}},
    "spec":{${spec}"selector":{"matchLabels":{"app":"nginx"}},"template":${pod}}}`;
  const query = queryOf({ fieldManager: "field_validation_mgr", fieldValidation: "Strict" });
  const { code, body } = await api.ask("POST", `/apis/apps/v1/namespaces/${namespace}/deployments${query}`, {
    body: Buffer.from(text),
    contentType: "application/json",
  });
  assert.equal(code, 400);
  return body as Status;
}

area("[sig-api-machinery] FieldValidation", () => {
  scenario("should detect unknown and duplicate fields of a typed object", async (world) => {
    const { message } = await postStrict(world, "", '"unknownField":"foo","replicas":2,"replicas":3,');
    const expected = 'strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas"';
    assert.ok(message?.includes(expected), message);
  });

  scenario("should detect unknown metadata fields of a typed object", async (world) => {
    const { message } = await postStrict(world, '"unknownMeta":"foo",', "");
    assert.ok(message?.includes('strict decoding error: unknown field "metadata.unknownMeta"'), message);
  });
});

area("[sig-api-machinery] Servers with support for Table transformation", () => {
  scenario("should return a 406 for a backend which does not implement metadata", async ({ api }) => {
    const type = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview" };
    const review = { ...type, spec: { nonResourceAttributes: { path: "/", verb: "get" } } };
    const { code, body } = await api.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      body: api.encoding.encode(review, type),
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    });
    assert.equal(code, 406);
    assert.equal((body as Status).code, 406);
    assert.equal((body as Status).reason, "NotAcceptable");
  });
});

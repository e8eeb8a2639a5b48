import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { HttpExchange } from "#base/http.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceTarget } from "#client/client.ts";
import { startTestServer, type TestServer } from "./extension-fixture.ts";

type Json = Record<string, unknown>;

const group = "admissionregistration.k8s.io";

function registration(kind: string): ResourceTarget {
  const plural = `${kind.toLowerCase().replace(/y$/, "ie")}s`;
  return { group, version: "v1", plural, kind, scope: "Cluster" };
}

const configMaps: ResourceTarget = {
  group: "",
  version: "v1",
  plural: "configmaps",
  kind: "ConfigMap",
  scope: "Namespaced",
};
const deployments: ResourceTarget = {
  group: "apps",
  version: "v1",
  plural: "deployments",
  kind: "Deployment",
  scope: "Namespaced",
};
const mutatingHooks = registration("MutatingWebhookConfiguration");
const validatingHooks = registration("ValidatingWebhookConfiguration");

/** Answers by path and keeps what it was asked. */
class Hooks {
  readonly requests: Json[] = [];

  readonly serve = async (exchange: HttpExchange): Promise<void> => {
    const review = JSON.parse(Buffer.from(await exchange.readBody(1 << 20)).toString("utf8")) as {
      request: Json;
    };
    this.requests.push(review.request);
    const response = { uid: review.request["uid"], ...this.#answer(exchange.url) };
    const head = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" };
    exchange.respond(
      200,
      { "content-type": "application/json" },
      JSON.stringify({ ...head, response }),
    );
  };

  #answer(url: string): Json {
    if (url.startsWith("/deny")) return { allowed: false, status: { message: "not today" } };
    const patches: Record<string, Json> = {
      "/label": { op: "add", path: "/metadata/labels", value: { patched: "yes" } },
      "/data": { op: "add", path: "/data", value: { known: "x", unknown: "y" } },
    };
    const operation = patches[url.split("?")[0] ?? ""];
    if (operation === undefined) return { allowed: true };
    const patch = [operation];
    return {
      allowed: true,
      patchType: "JSONPatch",
      patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
    };
  }
}

let server: TestServer;
let port = 0;
const hooks = new Hooks();

before(async () => {
  server = await startTestServer();
  port = await server.serve(hooks.serve);
});
after(() => server[Symbol.asyncDispose]());

interface HookSpec {
  readonly path: string;
  readonly resources: readonly string[];
  readonly groups?: readonly string[];
  readonly more?: Json;
}

function configuration(
  name: string,
  { path, resources, groups = [""], more = {} }: HookSpec,
): KubeObject {
  const webhook = {
    name: `${name}.example.com`,
    clientConfig: {
      url: `https://127.0.0.1:${port}${path}`,
      caBundle: Buffer.from(server.pki.caPem).toString("base64"),
    },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    rules: [{ apiGroups: groups, apiVersions: ["*"], operations: ["*"], resources }],
    ...more,
  };
  return { metadata: { name }, webhooks: [webhook] } as KubeObject;
}

function configMap(name: string, data: Json = {}): KubeObject {
  return { metadata: { name, namespace: "default" }, data } as KubeObject;
}

test("a mutating webhook changes what is stored", async () => {
  const { client } = server;
  const more = {
    objectSelector: { matchExpressions: [{ key: "patched", operator: "DoesNotExist" }] },
  };
  await client
    .dynamic(mutatingHooks)
    .create(configuration("label", { path: "/label", resources: ["configmaps"], more }));
  const created = await client.dynamic(configMaps).create(configMap("a"));
  assert.deepEqual(created.metadata?.labels, { patched: "yes" });
  const request = hooks.requests.at(-1) ?? {};
  assert.deepEqual(request["kind"], { group: "", version: "v1", kind: "ConfigMap" });
  assert.deepEqual(
    [request["operation"], request["name"], request["namespace"]],
    ["CREATE", "a", "default"],
  );
  await client.dynamic(mutatingHooks).delete("label");
});

test("a validating webhook refuses, and is not asked where its conditions say no", async () => {
  const { client } = server;
  const matchConditions = [
    { name: "not-skipped", expression: "object.metadata.name != 'skip-me'" },
  ];
  const spec = { path: "/deny", resources: ["configmaps"], more: { matchConditions } };
  await client.dynamic(validatingHooks).create(configuration("deny", spec));
  await assert.rejects(client.dynamic(configMaps).create(configMap("b")), {
    message: 'admission webhook "deny.example.com" denied the request: not today',
  });
  await client.dynamic(configMaps).create(configMap("skip-me"));
  await client.dynamic(validatingHooks).delete("deny");
});

test("a webhook sees a scale as a Scale", async () => {
  const { client } = server;
  const template = {
    metadata: { labels: { a: "b" } },
    spec: { containers: [{ name: "c", image: "i" }] },
  };
  const spec = { selector: { matchLabels: { a: "b" } }, template };
  await client
    .dynamic(deployments)
    .create({ metadata: { name: "d", namespace: "default" }, spec } as KubeObject);
  const hook = { path: "/deny", groups: ["apps"], resources: ["deployments/scale"] };
  await client.dynamic(validatingHooks).create(configuration("scale", hook));
  const patch = { type: "merge", body: { spec: { replicas: 3 } }, subresource: "scale" } as const;
  await assert.rejects(client.dynamic(deployments).patch("default/d", patch), /not today/);
  const { kind, object } = hooks.requests.at(-1) as { kind: Json; object: { spec: Json } };
  assert.deepEqual([kind["kind"], object.spec], ["Scale", { replicas: 3 }]);
  await client.dynamic(validatingHooks).delete("scale");
});

test("a webhook that cannot be reached fails the request, unless it may be ignored", async () => {
  const { client } = server;
  const more = { clientConfig: { url: "https://127.0.0.1:1/x" }, timeoutSeconds: 2 };
  const spec = { path: "", resources: ["configmaps"], more };
  await client.dynamic(validatingHooks).create(configuration("gone", spec));
  await assert.rejects(client.dynamic(configMaps).create(configMap("c")), {
    message:
      'Internal error occurred: failed calling webhook "gone.example.com": failed to call webhook: ' +
      'Post "https://127.0.0.1:1/x?timeout=2s": dial tcp 127.0.0.1:1: connect: connection refused',
  });
  const ignore = [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }];
  await client.dynamic(validatingHooks).patch("gone", { type: "json", body: ignore });
  await client.dynamic(configMaps).create(configMap("c"));
  await client.dynamic(validatingHooks).delete("gone");
});

test("configurations of webhooks are not subject to webhooks", async () => {
  const { client } = server;
  const all = { path: "/deny", groups: ["*"], resources: ["*"] };
  await client.dynamic(validatingHooks).create(configuration("all", all));
  await client.dynamic(validatingHooks).create(configuration("other", all));
  await client.dynamic(validatingHooks).delete("other");
  await client.dynamic(validatingHooks).delete("all");
});

function thingDefinition(): KubeObject {
  const data = { type: "object", properties: { known: { type: "string" } } };
  const schema = { openAPIV3Schema: { type: "object", properties: { data } } };
  const version = (name: string, storage: boolean): Json => ({
    name,
    served: true,
    storage,
    schema,
  });
  return {
    metadata: { name: "things.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "things", kind: "Thing" },
      versions: [version("v1", true), version("v2", false)],
    },
  } as KubeObject;
}

test("what a webhook adds to a custom resource is pruned; equivalent versions match", async () => {
  const { client } = server;
  const crds = registration("CustomResourceDefinition");
  await client.dynamic({ ...crds, group: "apiextensions.k8s.io" }).create(thingDefinition());
  const rules = [
    {
      apiGroups: ["example.com"],
      apiVersions: ["v1"],
      operations: ["CREATE"],
      resources: ["things"],
    },
  ];
  const hook = configuration("data", { path: "/data", resources: [], more: { rules } });
  await client.dynamic(mutatingHooks).create(hook);
  for (const version of ["v1", "v2"]) {
    const things: ResourceTarget = {
      group: "example.com",
      version,
      plural: "things",
      kind: "Thing",
      scope: "Namespaced",
    };
    const thing = { metadata: { name: version, namespace: "default" } };
    const created = await client.dynamic(things).create(thing);
    assert.deepEqual((created as Json)["data"], { known: "x" });
    assert.equal(created.apiVersion, `example.com/${version}`);
    const { kind, requestKind, object } = hooks.requests.at(-1) as Record<string, Json>;
    assert.equal(kind?.["version"], "v1");
    assert.equal(requestKind?.["version"], version);
    assert.equal(object?.["apiVersion"], "example.com/v1");
  }
  await client.dynamic(mutatingHooks).delete("data");
});

test("a mutating policy applies a configuration, a validating one checks it", async () => {
  const { client } = server;
  const rule = {
    apiGroups: [""],
    apiVersions: ["v1"],
    operations: ["CREATE"],
    resources: ["configmaps"],
  };
  const matchConstraints = { resourceRules: [rule] };
  const expression = "Object{metadata: Object.metadata{annotations: {'seen': variables.by}}}";
  await client.dynamic(registration("MutatingAdmissionPolicy")).create({
    metadata: { name: "mark" },
    spec: {
      matchConstraints,
      reinvocationPolicy: "Never",
      variables: [{ name: "by", expression: "request.userInfo.username" }],
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
    },
  } as KubeObject);
  await client.dynamic(registration("ValidatingAdmissionPolicy")).create({
    metadata: { name: "marked" },
    spec: {
      matchConstraints,
      validations: [
        {
          expression: "object.metadata.annotations.seen != 'admin'",
          messageExpression: "'seen ' + object.metadata.name",
        },
      ],
    },
  } as KubeObject);
  await client.dynamic(registration("MutatingAdmissionPolicyBinding")).create({
    metadata: { name: "mark" },
    spec: { policyName: "mark" },
  } as KubeObject);
  const created = await client.dynamic(configMaps).create(configMap("m"));
  assert.equal(created.metadata?.annotations?.["seen"], "admin");
  await client.dynamic(registration("ValidatingAdmissionPolicyBinding")).create({
    metadata: { name: "marked" },
    spec: { policyName: "marked", validationActions: ["Deny"] },
  } as KubeObject);
  await assert.rejects(client.dynamic(configMaps).create(configMap("n")), {
    message:
      "configmaps \"n\" is forbidden: ValidatingAdmissionPolicy 'marked' with binding 'marked' denied request: seen n",
  });
});

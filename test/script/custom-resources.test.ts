import assert from "node:assert/strict";
import { at, namesOf, refused } from "./api.ts";
import { define } from "./custom.ts";
import type { Thing } from "./encoding.ts";
import { change, discovered } from "./operations.ts";
import { area, scenario, type World } from "./scenario.ts";

const crds = ({ all }: World) => all("apiextensions.k8s.io/v1", "customresourcedefinitions");

function conditionsOf(definition: Thing): readonly { readonly type?: string; readonly status?: string; readonly message?: string }[] {
  return at(definition, "status", "conditions") as [];
}

area("[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin]", () => {
  scenario("Simple CustomResourceDefinition creating/deleting custom resource definition objects works", async (world) => {
    const { definition, definitions, objects, group, plural } = await define(world, { scope: "Cluster" });
    const name = definition.metadata.name ?? "";
    using watch = await definitions.watch({ fieldSelector: `metadata.name=${name}` });
    const [established] = await watch.until(({ object }) =>
      conditionsOf(object).some(({ type, status }) => type === "Established" && status === "True"),
    );
    assert.ok(established);
    await objects().create({ metadata: { name: "one" } });
    await definitions.delete(name);
    await watch.until(({ type }) => type === "DELETED");
    await refused(definitions.get(name), 404);
    assert.equal((await world.api.ask("GET", `/apis/${group}/v1/${plural}`)).code, 404);
  });

  scenario("Simple CustomResourceDefinition listing custom resource definition objects works", async (world) => {
    const labels = { "e2e-list-test-uuid": world.unique };
    const made = new Map<string, Thing>();
    for (let i = 0; i < 10; i++) {
      const { definition } = await define(world, { scope: "Cluster", labels, plural: `things${i}s`, kind: `Thing${i}` });
      made.set(definition.metadata.name ?? "", definition);
    }
    const other = await define(world, { scope: "Cluster" });
    const selection = { labelSelector: `e2e-list-test-uuid=${world.unique}` };
    const { items } = await crds(world).list(selection);
    assert.equal(items.length, 10);
    for (const item of items) assert.deepEqual(item["spec"], made.get(item.metadata.name ?? "")?.["spec"]);
    using watch = await crds(world).watch(selection);
    await crds(world).deleteAll(selection);
    for (const gone = new Set(); gone.size < 10;) {
      const { type, object } = await watch.next();
      if (type === "DELETED") gone.add(object.metadata.name);
    }
    assert.deepEqual(namesOf(await crds(world).list(selection)), []);
    assert.equal((await crds(world).get(other.definition.metadata.name ?? "")).metadata.uid, other.definition.metadata.uid);
  });

  scenario("Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works", async (world) => {
    const { definition, definitions } = await define(world, { scope: "Cluster" });
    const name = definition.metadata.name ?? "";
    const updated = await change(definitions, name, (old) => {
      assert.deepEqual(old["spec"], definition["spec"]);
      return { status: { conditions: [...conditionsOf(old), { type: "", status: "", message: "updated" }] } };
    }, "status");
    assert.ok(conditionsOf(updated).some(({ message }) => message === "updated"));
    const body = [{ op: "add", path: "/status/conditions", value: [{ message: "patched" }] }];
    const patched = await definitions.patch(name, { type: "json", subresource: "status", body });
    assert.ok(conditionsOf(patched).some(({ message }) => message === "patched"));
  });

  scenario("should include custom resource definition resources in discovery documents", (world) =>
    discovered(world, { group: "apiextensions.k8s.io", resources: ["customresourcedefinitions", "customresourcedefinitions/status"] }));

  scenario("custom resource defaulting for requests and from storage works", async (world) => {
    const schema = { ...{ type: "object" }, properties: { a: { type: "string" }, b: { type: "string" } } };
    const { definition, definitions, objects } = await define(world, { scope: "Cluster", versions: [{ name: "v1beta1", schema }] });
    const name = definition.metadata.name ?? "";
    await objects().create({ metadata: { name: "cr-1" } });
    const path = "/spec/versions/0/schema/openAPIV3Schema/properties";
    await definitions.patch(name, { type: "json", body: [{ op: "add", path: `${path}/a/default`, value: "A" }] });
    assert.equal((await objects().get("cr-1"))["a"], "A");
    assert.equal((await objects().create({ metadata: { name: "cr-2" } }))["a"], "A");
    const swapped = [
      { op: "remove", path: `${path}/a/default` },
      { op: "add", path: `${path}/b/default`, value: "B" },
    ];
    await definitions.patch(name, { type: "json", body: swapped });
    const second = await objects().get("cr-2");
    assert.deepEqual([second["a"], second["b"]], ["A", "B"]);
    const first = await objects().get("cr-1");
    assert.deepEqual([first["a"], first["b"]], [undefined, "B"]);
  });
});

area("[sig-api-machinery] CustomResourceDefinition Watch [Privileged:ClusterAdmin]", () => {
  scenario("CustomResourceDefinition Watch watch on custom resource definition objects", async (world) => {
    const { objects, definitions, definition } = await define(world, { scope: "Cluster", group: "mygroup.example.com" });
    using watchA = await objects().watch({ fieldSelector: "metadata.name=name1" });
    using watchB = await objects().watch({ fieldSelector: "metadata.name=name2" });
    const fields = { content: { key: "value" }, num: { num1: 9223372036854774807n.toString(), num2: 1000000 } };
    const seen: Thing[] = [];
    for (const [name, watch] of [["name1", watchA], ["name2", watchB]] as const) {
      const made = await objects().create({ metadata: { name }, ...fields });
      assert.deepEqual(await watch.next(), { type: "ADDED", object: made });
      seen.push(made);
    }
    for (const [name, watch] of [["name1", watchA], ["name2", watchB]] as const) {
      const object = await change(objects(), name, { dummy: "test" });
      assert.deepEqual(await watch.next(), { type: "MODIFIED", object });
    }
    for (const [i, watch] of [watchA, watchB].entries()) {
      await objects().delete(`name${i + 1}`);
      const { type, object } = await watch.next();
      assert.deepEqual([type, object.metadata.uid], ["DELETED", seen[i]?.metadata.uid]);
    }
    await definitions.delete(definition.metadata.name ?? "");
  });
});

area("[sig-api-machinery] AggregatedDiscovery", () => {
  const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const offered = `${aggregated},${aggregated.replace("v=v2", "v=v2beta1")},application/json`;

  async function served({ api }: World, accept: string, group: string): Promise<unknown> {
    const { items } = (await api.get("/apis", accept)) as { items?: readonly { readonly metadata: { readonly name: string } }[] };
    return items?.find(({ metadata }) => metadata.name === group);
  }

  async function comesAndGoes(world: World, accept: string): Promise<void> {
    const { group, plural, kind, definition, definitions } = await define(world);
    using watch = await definitions.watch({ fieldSelector: `metadata.name=${definition.metadata.name ?? ""}` });
    const found = await served(world, accept, group);
    assert.equal(at(found, "versions", 0, "version"), "v1");
    const resource = at(found, "versions", 0, "resources", 0);
    assert.deepEqual([at(resource, "resource"), at(resource, "responseKind", "kind")], [plural, kind]);
    await definitions.delete(definition.metadata.name ?? "");
    await watch.until(({ type }) => type === "DELETED");
    assert.equal(await served(world, accept, group), undefined);
  }

  scenario("should support raw aggregated discovery request for CRDs", (world) => comesAndGoes(world, aggregated), ["json"]);
  scenario("should support aggregated discovery interface for CRDs", (world) => comesAndGoes(world, offered), ["json"]);
});

const ports = {
  type: "array",
  "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
  "x-kubernetes-list-type": "map",
  items: {
    type: "object",
    required: ["containerPort", "protocol"],
    properties: {
      containerPort: { format: "int32", type: "integer" },
      hostIP: { type: "string" },
      hostPort: { format: "int32", type: "integer" },
      name: { type: "string" },
      protocol: { type: "string" },
    },
  },
};
const cronSpec = { type: "string", pattern: "^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$" };

function specSchema(spec: object): object {
  const own = { type: "object", ...spec, properties: { foo: { type: "string" }, cronSpec, ports, ...at(spec, "properties") as object } };
  return { type: "object", properties: { spec: own } };
}

/** Applies YAML strictly to a kind of this schema; the answer. */
async function applyStrictly(world: World, schema: object | undefined, lines: readonly string[]): Promise<{ code: number; message: string }> {
  const versions = ["v1beta1", "v1beta2"].map((name) => ({ name, ...(schema && { schema }) }));
  const { group, plural, kind } = await define(world, { scope: "Cluster", versions });
  const yaml = ["", `apiVersion: ${group}/v1beta1`, `kind: ${kind}`, ...lines].join("\n");
  const query = "fieldManager=field_validation_mgr&fieldValidation=Strict";
  const { code, body } = await world.api.ask("PATCH", `/apis/${group}/v1beta1/${plural}/mytest?${query}`, {
    body: Buffer.from(yaml),
    contentType: "application/apply-patch+yaml",
    accept: "application/json",
  });
  return { code, message: String(at(body, "message") ?? "") };
}

const head = ["metadata:", "  name: mytest", "  finalizers:", "  - test-finalizer"];
const tail = ['  cronSpec: "* * * * */5"', "  ports:", "  - name: x", "    containerPort: 80", "    protocol: TCP"];

area("[sig-api-machinery] FieldValidation", () => {
  scenario("should create/apply a valid CR for CRD with validation schema", async (world) => {
    const { code } = await applyStrictly(world, specSchema({}), [...head, "spec:", "  foo: foo1", ...tail]);
    assert.equal(code, 201);
  });

  scenario("should create/apply a CR with unknown fields for CRD with no validation schema", async (world) => {
    const { code } = await applyStrictly(world, undefined, [...head, "spec:", "  unknown: uk1", ...tail]);
    assert.equal(code, 201);
  });

  scenario("should create/apply an invalid CR with extra properties for CRD with validation schema", async (world) => {
    const lines = [...head, "unknownField: unknown", "spec:", "  foo: foo1", ...tail];
    const { code, message } = await applyStrictly(world, specSchema({}), lines);
    assert.equal(code, 500);
    assert.match(message, /\.unknownField: field not declared in schema/);
  });

  scenario("should detect unknown metadata fields in both the root and embedded object of a CR", async (world) => {
    const template = {
      type: "object",
      "x-kubernetes-embedded-resource": true,
      properties: { metadata: { type: "object", properties: { name: { type: "string" } } }, spec: { type: "object" } },
    };
    const schema = specSchema({ "x-kubernetes-preserve-unknown-fields": true, properties: { template } });
    const embedded = [
      "  template:", "    apiversion: foo/v1", "    kind: Sub", "    metadata:",
      "        unknownSubMeta: unknown", "        name: subobject", "        namespace: default",
    ];
    const lines = ["metadata:", "  name: mytest", "  unknownMeta: unknown", ...head.slice(2), "spec:", ...embedded, "  foo: foo1", ...tail];
    const { code, message } = await applyStrictly(world, schema, lines);
    assert.equal(code, 500);
    assert.match(message, /\.spec\.template\.metadata\.unknownSubMeta: field not declared in schema|\.metadata\.unknownMeta: field not declared in schema/);
  });

  scenario("should detect duplicates in a CR when preserving unknown fields", async (world) => {
    const schema = specSchema({ "x-kubernetes-preserve-unknown-fields": true });
    const { code, message } = await applyStrictly(world, schema, [...head, "spec:", "  unknown: uk1", "  foo: foo1", "  foo: foo2", ...tail]);
    assert.equal(code, 400);
    assert.match(message, /line 11: key "foo" already set in map/);
  });
});

import assert from "node:assert/strict";
import { at } from "./api.ts";
import { type Custom, type CustomSpec, define } from "./custom.ts";
import { openKubectl } from "./kubectl.ts";
import { change } from "./operations.ts";
import { area, scenario, type World } from "./scenario.ts";

const bar = {
  type: "object",
  required: ["name"],
  properties: {
    name: { description: "Name of Bar.", type: "string" },
    age: { description: "Age of Bar.", type: "string" },
    feeling: { description: "Whether Bar is feeling great.", type: "string", enum: ["Great", "Down"] },
    bazs: { description: "List of Bazs.", type: "array", items: { type: "string" } },
  },
};

const foo = {
  description: "Foo CRD for Testing",
  type: "object",
  properties: {
    spec: {
      type: "object",
      description: "Specification of Foo",
      properties: { bars: { description: "List of Bars and their specs.", type: "array", items: bar } },
    },
    status: {
      description: "Status of Foo",
      type: "object",
      properties: {
        bars: {
          description: "List of Bars and their statuses.",
          type: "array",
          items: {
            type: "object",
            properties: {
              name: { description: "Name of Bar.", type: "string" },
              available: { description: "Whether the Bar is installed.", type: "boolean" },
              quxType: { description: "Indicates to external qux type.", pattern: "in-tree|out-of-tree", type: "string" },
            },
          },
        },
      },
    },
  },
};

const waldo = {
  description: "Waldo CRD for Testing",
  type: "object",
  properties: {
    spec: { description: "Specification of Waldo", type: "object", properties: { dummy: { description: "Dummy property.", type: "string" } } },
    status: { description: "Status of Waldo", type: "object", properties: { dummy: { description: "Dummy property.", type: "string" } } },
  },
};

const preserveNested = {
  description: "preserve-unknown-properties in nested field for Testing",
  type: "object",
  properties: {
    spec: { description: "Specification of Waldo", type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: {} },
  },
};

/** Versions of one schema each, the first is stored. */
function versions(schema: object, ...names: readonly string[]): NonNullable<CustomSpec["versions"]> {
  return names.map((name) => ({ name, schema }));
}

function nameOf({ group, kind }: Custom, version: string): string {
  return [...group.split(".").reverse(), version, kind].join(".");
}

/** The v2 definition without what the server adds; undefined when it is not published. */
async function published({ api }: World, custom: Custom, version: string): Promise<object | undefined> {
  const { definitions } = (await api.get("/openapi/v2")) as { definitions?: Record<string, object> };
  const found = definitions?.[nameOf(custom, version)] as { properties?: Record<string, object> } | undefined;
  if (found === undefined) return undefined;
  const { properties = {}, ...rest } = found;
  const { apiVersion: _a, kind: _k, metadata: _m, ...own } = properties;
  const { ["x-kubernetes-group-version-kind"]: _gvk, ...shown } = rest as Record<string, unknown>;
  return { ...shown, ...(Object.keys(own).length > 0 && { properties: own }) };
}

/** Removes the definition; none of its versions is published any more. */
async function withdraw(world: World, custom: Custom, ...names: readonly string[]): Promise<void> {
  const name = custom.definition.metadata.name ?? "";
  using watch = await custom.definitions.watch({ fieldSelector: `metadata.name=${name}` });
  await custom.definitions.delete(name);
  await watch.until(({ type }) => type === "DELETED");
  for (const version of names) assert.equal(await published(world, custom, version), undefined);
}

/** kubectl creates and applies an instance as it is, and deletes it. */
async function acceptedByKubectl(world: World, custom: Custom, instance: object): Promise<void> {
  await using kubectl = await openKubectl(world);
  const text = JSON.stringify({ kind: custom.kind, apiVersion: `${custom.group}/v1`, metadata: { name: "test-cr" }, ...instance });
  for (const verb of ["create", "apply"]) {
    const made = await kubectl.run([verb, "-f", "-"], text);
    assert.equal(made.code, 0, made.stderr);
    const deleted = await kubectl.run(["delete", custom.plural, "test-cr"]);
    assert.equal(deleted.code, 0, deleted.stderr);
  }
}

async function explained(world: World, rows: readonly (readonly [path: string, wanted: RegExp])[]): Promise<void> {
  await using kubectl = await openKubectl(world);
  for (const [path, wanted] of rows) {
    const { stdout, stderr } = await kubectl.run(["explain", path]);
    assert.match(stdout + stderr, wanted, path);
  }
}

area("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin]", () => {
  scenario("works for CRD with validation schema", async (world) => {
    const custom = await define(world, { versions: versions(foo, "v1") });
    assert.deepEqual(await published(world, custom, "v1"), foo);
    await acceptedByKubectl(world, custom, { spec: { bars: [{ name: "test-bar" }] } });
    await using kubectl = await openKubectl(world);
    const refusals = [
      [{ bars: [{ name: "test-bar", feeling: "NonExistentValue" }] }, /Unsupported value: "NonExistentValue"/],
      [{ foo: true }, /unknown field "spec\.foo"/],
      [{ bars: [{ age: "10" }] }, /spec\.bars\[0\]\.name: Required value/],
    ] as const;
    for (const [spec, wanted] of refusals) {
      const text = JSON.stringify({ kind: custom.kind, apiVersion: `${custom.group}/v1`, metadata: { name: "bad" }, spec });
      for (const verb of ["create", "apply"]) assert.match((await kubectl.run([verb, "-f", "-"], text)).stderr, wanted);
    }
    const { plural } = custom;
    await explained(world, [
      [plural, /DESCRIPTION:.*Foo CRD for Testing.*FIELDS:.*apiVersion.*<string>.*APIVersion defines.*spec.*<Object>.*Specification of Foo/s],
      [`${plural}.metadata`, /DESCRIPTION:.*Standard object's metadata.*FIELDS:.*creationTimestamp.*<string>.*CreationTimestamp is a timestamp/s],
      [`${plural}.spec`, /DESCRIPTION:.*Specification of Foo.*FIELDS:.*bars.*<\[\]Object>.*List of Bars and their specs/s],
      [`${plural}.spec.bars`, /bars.*<\[\]Object>.*DESCRIPTION:.*List of Bars and their specs.*FIELDS:.*bazs.*<\[\]string>.*List of Bazs.*name.*<string>.*Name of Bar/s],
      [`${plural}.spec.bars2`, /field "bars2" does not exist/],
    ]);
    await withdraw(world, custom, "v1");
  }, ["json"]);

  scenario("works for CRD without validation schema", async (world) => {
    const custom = await define(world);
    assert.deepEqual(await published(world, custom, "v1"), { type: "object" });
    await acceptedByKubectl(world, custom, { a: { b: [{ c: "d" }] } });
    await explained(world, [[custom.plural, /DESCRIPTION:.*<empty>/s]]);
    await withdraw(world, custom, "v1");
  }, ["json"]);

  scenario("works for CRD preserving unknown fields at the schema root", async (world) => {
    const schema = { ...waldo, description: "preserve-unknown-properties at root for Testing", "x-kubernetes-preserve-unknown-fields": true };
    const custom = await define(world, { versions: versions(schema, "v1") });
    await acceptedByKubectl(world, custom, { a: { b: [{ c: "d" }] } });
    await explained(world, [[custom.plural, new RegExp(`KIND:.*${custom.kind}`, "s")]]);
    await withdraw(world, custom, "v1");
  }, ["json"]);

  scenario("works for CRD preserving unknown fields in an embedded object", async (world) => {
    const custom = await define(world, { versions: versions(preserveNested, "v1") });
    await acceptedByKubectl(world, custom, { spec: { a: null, b: [{ c: "d" }] } });
    await explained(world, [[custom.plural, /DESCRIPTION:.*preserve-unknown-properties in nested field for Testing/s]]);
    await withdraw(world, custom, "v1");
  }, ["json"]);

  scenario("works for multiple CRDs of different groups", async (world) => {
    const one = await define(world, { versions: versions(foo, "v1"), group: "foo.example.com" });
    const other = await define(world, { versions: versions(waldo, "v1beta1"), group: "waldo.example.com" });
    assert.deepEqual(await published(world, other, "v1beta1"), waldo);
    assert.deepEqual(await published(world, one, "v1"), foo);
    await withdraw(world, one, "v1");
    await withdraw(world, other, "v1beta1");
  });

  scenario("works for multiple CRDs of same group but different versions", async (world) => {
    const many = await define(world, { versions: versions(foo, "v2", "v3") });
    for (const version of ["v3", "v2"]) assert.deepEqual(await published(world, many, version), foo);
    await withdraw(world, many, "v2", "v3");
    const group = "common-group.example.com";
    const one = await define(world, { versions: versions(foo, "v4"), group, plural: "foos", kind: "Foo" });
    const other = await define(world, { versions: versions(waldo, "v5"), group, plural: "waldos", kind: "Waldo" });
    assert.deepEqual(await published(world, other, "v5"), waldo);
    assert.deepEqual(await published(world, one, "v4"), foo);
    await withdraw(world, one, "v4");
    await withdraw(world, other, "v5");
  });

  scenario("works for multiple CRDs of same group and version but different kinds", async (world) => {
    const group = "common-group.example.com";
    const one = await define(world, { versions: versions(foo, "v6"), group, plural: "foos", kind: "Foo" });
    const other = await define(world, { versions: versions(waldo, "v6"), group, plural: "waldos", kind: "Waldo" });
    assert.deepEqual(await published(world, other, "v6"), waldo);
    assert.deepEqual(await published(world, one, "v6"), foo);
    await withdraw(world, one, "v6");
    assert.deepEqual(await published(world, other, "v6"), waldo);
    await withdraw(world, other, "v6");
  });

  scenario("updates the published spec when one version gets renamed", async (world) => {
    const custom = await define(world, { versions: versions(foo, "v2", "v3") });
    for (const version of ["v3", "v2"]) assert.deepEqual(await published(world, custom, version), foo);
    const path = "/spec/versions/1/name";
    const body = [{ op: "test", path, value: "v3" }, { op: "replace", path, value: "v4" }];
    await custom.definitions.patch(custom.definition.metadata.name ?? "", { type: "json", body });
    assert.deepEqual(await published(world, custom, "v4"), foo);
    assert.equal(await published(world, custom, "v3"), undefined);
    assert.deepEqual(await published(world, custom, "v2"), foo);
    await withdraw(world, custom, "v2", "v4");
  });

  scenario("removes definition from spec when one version gets changed to not be served", async (world) => {
    const custom = await define(world, { versions: versions(foo, "v5", "v6alpha1") });
    for (const version of ["v6alpha1", "v5"]) assert.deepEqual(await published(world, custom, version), foo);
    await change(custom.definitions, custom.definition.metadata.name ?? "", (old) => {
      const [first, second] = at(old, "spec", "versions") as object[];
      return { spec: { versions: [first, { ...second, served: false }] } };
    });
    assert.equal(await published(world, custom, "v6alpha1"), undefined);
    assert.deepEqual(await published(world, custom, "v5"), foo);
    await withdraw(world, custom, "v5");
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJson } from "#apimachinery/json-codec.ts";
import { CustomResourceDefinition } from "./custom-resource-definition.ts";
import { validateDefinition, validateDefinitionUpdate } from "./custom-resource-definition-validation.ts";

interface Parts {
  readonly schema?: object | null;
  readonly version?: object;
  readonly conversion?: object;
  readonly established?: boolean;
}

function definitionOf({ schema = {}, version = {}, conversion, established = true }: Parts): CustomResourceDefinition {
  const versions = [
    {
      name: "v1",
      served: true,
      storage: true,
      ...(schema !== null && { schema: { openAPIV3Schema: { type: "object", properties: schema } } }),
      ...version,
    },
  ];
  const names = { plural: "foos", singular: "foo", kind: "Foo", listKind: "FooList" };
  const conditions = established ? [{ type: "Established", status: "True" }] : [];
  const object = {
    metadata: { name: "foos.g.io" },
    spec: { group: "g.io", scope: "Cluster", names, versions, ...(conversion && { conversion }) },
    status: { conditions, acceptedNames: names, storedVersions: ["v1"] },
  };
  return decodeJson<CustomResourceDefinition>(CustomResourceDefinition, object).object;
}

const webhook = (more: object): object => ({
  strategy: "Webhook",
  webhook: { clientConfig: { url: "https://a.example" }, conversionReviewVersions: ["v1"], ...more },
});

/** Twelve rules within rules: dear, since nothing bounds the list. */
const dear = {
  list: { type: "array", items: { type: "string", "x-kubernetes-validations": [{ rule: "self.matches('a.*b') && self.contains(self)" }] } },
  lists: {
    type: "array",
    items: { type: "array", items: { type: "string", "x-kubernetes-validations": [{ rule: "self.contains(self)" }] } },
  },
};

const mapList = {
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["k"],
  items: { type: "object", properties: { k: { type: "string" } } },
};

const fields = Array.from({ length: 9 }, (_, i) => `f${i}`);

const flaws: Readonly<Record<string, { readonly flawed: Parts; readonly sound: Parts; readonly why: RegExp }>> = {
  "no schema": { flawed: { schema: null }, sound: {}, why: /^FieldValueRequired spec\.versions\[0\]\.schema\.openAPIV3Schema/ },
  "items of a set that are not atomic": {
    flawed: { schema: { a: { type: "array", "x-kubernetes-list-type": "set", items: { type: "object", properties: { b: { type: "string" } } } } } },
    sound: {},
    why: /must be atomic as item of a list/,
  },
  "keys that may be absent": { flawed: { schema: { a: mapList } }, sound: {}, why: /must have a default or be a required property/ },
  "defaults with unknown fields": {
    flawed: { schema: { a: { type: "object", properties: { b: { type: "string" } }, default: { c: "x" } } } },
    sound: {},
    why: /must not have unknown fields/,
  },
  "dear rules": { flawed: { schema: dear }, sound: {}, why: /cost exceeds budget/ },
  "reviews of unknown versions": {
    flawed: { conversion: webhook({ conversionReviewVersions: ["v9"] }) },
    sound: { conversion: webhook({}) },
    why: /must include at least one of v1, v1beta1/,
  },
  "roots that cannot be read": {
    flawed: { conversion: webhook({ clientConfig: { url: "https://a.example", caBundle: Buffer.from("x").toString("base64") } }) },
    sound: { conversion: webhook({}) },
    why: /unable to load root certificates/,
  },
  "too many selectable fields": {
    flawed: {
      schema: Object.fromEntries(fields.map((name) => [name, { type: "string" }])),
      version: { selectableFields: fields.map((name) => ({ jsonPath: `.${name}` })) },
    },
    sound: { schema: Object.fromEntries(fields.map((name) => [name, { type: "string" }])) },
    why: /^FieldValueTooMany/,
  },
};

function problems(next: CustomResourceDefinition, old: CustomResourceDefinition): string[] {
  return [...validateDefinitionUpdate(next, old)].map(({ type, field, detail }) => `${type} ${field}: ${detail}`);
}

for (const [what, { flawed, sound, why }] of Object.entries(flaws)) {
  test(`a stored definition may keep what later checks refuse: ${what}`, () => {
    const [bad, good] = [definitionOf(flawed), definitionOf(sound)];
    assert.ok(problems(bad, good).some((problem) => why.test(problem)), "not without cause");
    assert.deepEqual(problems(bad, good).filter((problem) => !why.test(problem) && !/total/.test(problem)), []);
    assert.deepEqual(problems(good, bad), []);
    const kept = problems(bad, bad);
    // What all rules cost together counts however old they are.
    assert.deepEqual(kept.filter((problem) => !/cost total/.test(problem)), []);
  });
}

test("what was never allowed stays refused", () => {
  const bad = definitionOf({ schema: { a: { type: "string", pattern: "(" } } });
  assert.match(problems(bad, bad).join(), /must be a valid regular expression/);
});

test("roots that cannot be read are let in before anybody is served", () => {
  const unread = flaws["roots that cannot be read"]?.flawed ?? {};
  const [bad, good] = [definitionOf({ ...unread, established: false }), definitionOf({ established: false })];
  assert.deepEqual(problems(bad, good), []);
  assert.deepEqual([...validateDefinition(bad)], []);
});

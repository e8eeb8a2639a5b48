import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeSwagger, pruneSwagger } from "./merge-v2.ts";

const definition = (name: string): object => ({ $ref: `#/definitions/${name}` });
const parameter = (name: string): object => ({ $ref: `#/parameters/${name}` });

test("of a document only what a group version needs is kept", () => {
  const document = {
    swagger: "2.0",
    info: { title: "T", version: "1" },
    paths: {
      "/apis/a/v1/": { get: { responses: { 200: { schema: definition("List") } } } },
      "/apis/a/v1/things": { get: { parameters: [parameter("pretty")], responses: { 200: { schema: definition("Thing") } } } },
      "/apis/b/v1/others": { get: { parameters: [parameter("other")], responses: { 200: { schema: definition("Other") } } } },
    },
    definitions: {
      List: {},
      Thing: { properties: { self: definition("Thing"), missing: definition("Missing"), part: { items: definition("Part") } } },
      Part: { additionalProperties: definition("Leaf") },
      Leaf: {},
      Other: {},
      Unused: {},
    },
    parameters: { pretty: { name: "pretty" }, other: { name: "other" } },
    security: [],
  };
  const { swagger, info, paths, definitions, parameters } = document;
  const { Other: _other, ...kept } = definitions;
  const { "/apis/b/v1/others": _others, ...below } = paths;
  assert.deepEqual(pruneSwagger(document, "/apis/a/v1/"), {
    swagger,
    info,
    paths: below,
    definitions: kept,
    parameters: { pretty: parameters.pretty },
  });
});

test("what has the name of something else is renamed, with all that refers to it", () => {
  const own = {
    swagger: "2.0",
    paths: { "/own": {}, "/both": { own: true } },
    definitions: {
      Same: { description: "Ours.", type: "object", "x-kubernetes-group-version-kind": [{ kind: "A" }] },
      Differs: { type: "string" },
      Differs_v2: { type: "boolean" },
      Known: { type: "string" },
      Known_v2: { type: "integer" },
    },
    parameters: { pretty: { name: "pretty", type: "string" } },
  };
  const other = {
    paths: {
      "/both": { own: false },
      "/other": { parameters: [parameter("pretty")], get: { schema: definition("Differs") } },
    },
    definitions: {
      Same: { description: "Theirs.", type: "object" },
      Differs: { type: "number", properties: { known: definition("Known"), same: definition("Same") } },
      Known: { type: "integer" },
      New: { items: definition("Differs") },
    },
    parameters: { pretty: { name: "pretty", type: "boolean" } },
  };
  assert.deepEqual(mergeSwagger(own, other), {
    swagger: "2.0",
    paths: {
      ...own.paths,
      "/other": { parameters: [parameter("pretty_v2")], get: { schema: definition("Differs_v3") } },
    },
    definitions: {
      ...own.definitions,
      Differs_v3: { type: "number", properties: { known: definition("Known_v2"), same: definition("Same") } },
      New: { items: definition("Differs_v3") },
    },
    parameters: { ...own.parameters, pretty_v2: { name: "pretty", type: "boolean" } },
  });
});

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { isJsonMap, type JsonMap } from "../json-value.ts";
import { openApiFromSwagger } from "./from-v2.ts";
import { pruneSwagger } from "./merge-v2.ts";

const root = new URL("../../../../shared/kubernetes-1.36/", import.meta.url);
const skip = existsSync(root) ? false : "upstream's OpenAPI documents are absent";

function read(file: string): JsonMap {
  return JSON.parse(readFileSync(new URL(file, root), "utf8")) as JsonMap;
}

/** Without what v2 cannot say: defaults and alternatives; a reference that stood with a default stands alone. */
function sayable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sayable);
  if (!isJsonMap(value)) return value;
  const { default: _default, oneOf, allOf, ...rest } = value;
  if (Array.isArray(allOf) && Object.keys(rest).length === 0) return allOf[0];
  const kept = Object.entries({ ...rest, ...(allOf !== undefined && { allOf }) });
  const shown = Object.fromEntries(kept.map(([key, each]) => [key, sayable(each)]));
  return oneOf === undefined ? shown : { ...shown, type: "string" };
}

/** Definitions that are told of everywhere, and of fewer kinds in a document of one group version. */
function withoutKinds(document: JsonMap): JsonMap {
  const { schemas } = document["components"] as { schemas: Record<string, JsonMap> };
  for (const name of ["DeleteOptions", "WatchEvent"]) {
    delete schemas[`io.k8s.apimachinery.pkg.apis.meta.v1.${name}`]?.["x-kubernetes-group-version-kind"];
  }
  return document;
}

test("a v2 document becomes the v3 document of the same group version, as far as v2 goes", { skip }, () => {
  for (const groupVersion of ["apps/v1", "policy/v1", "apiextensions.k8s.io/v1"]) {
    const made = openApiFromSwagger(pruneSwagger(read("swagger.json"), `/apis/${groupVersion}/`));
    const upstream = read(`openapi-v3/apis__${groupVersion.replace("/", "__")}_openapi.json`);
    assert.deepEqual(sayable(withoutKinds(made)), sayable(withoutKinds(upstream)), groupVersion);
  }
});

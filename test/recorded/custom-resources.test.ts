import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from "#api/apiextensions/v1/custom-resource-definition.ts";
import { DecodeError, decodeJson } from "#apimachinery/json-codec.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition, StrategyContext } from "#apimachinery/resource.ts";
import { invalidStatus } from "#apimachinery/status.ts";
import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import { resourcesOfCustom } from "#apiserver/extensions/custom-definition.ts";
import { codecOf } from "#apiserver/storage/codec.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";

// What a 1.36 server said of definitions and instances, asked of the pure parts alone.

interface Step {
  readonly do: string;
  readonly body?: unknown;
  readonly expect: { readonly status: number; readonly body: { readonly message?: string } };
}

const folder = new URL("../../../shared/kubernetes-1.36/recorded/resources/apiextensions/", import.meta.url);

const skip = existsSync(folder) ? false : "recorded answers are not here";

function stepsOf(file: string): Step[] {
  const text = readFileSync(new URL(file, folder), "utf8").replaceAll("${rand}", "r").replaceAll("<rand>", "r");
  return (JSON.parse(text) as { steps: Step[] }).steps;
}

const context: StrategyContext = {
  namespace: "n",
  userName: "u",
  nowMs: 0,
  features: { enabled: () => true },
  subresource: "",
};

/** The message of a create, undefined when it succeeds. */
function create(definition: ResourceDefinition, object: KubeObject): string | undefined {
  const { strategy, group } = definition;
  codecOf(definition).applyDefaults(object);
  strategy.default?.(object);
  object.metadata ??= {};
  if (definition.scope === "Namespaced") object.metadata.namespace = "n";
  strategy.prepareForCreate?.(object, context);
  const errors = [
    ...validateObjectMeta(object.metadata, {
      namespaced: definition.scope === "Namespaced",
      nameRule: strategy.nameRule,
      plainFinalizers: true,
    }),
    ...(strategy.validate?.(object, context) ?? []),
  ];
  if (errors.length === 0) return undefined;
  return invalidStatus({ group, kind: object.kind ?? "" }, object.metadata.name ?? "", errors).message;
}

function definitionIn(body: unknown): CustomResourceDefinition {
  return decodeJson<CustomResourceDefinition>(customResourceDefinitions.schema, body).object;
}

const creates = /^POST \/apis\/apiextensions\.k8s\.io\/v1\/customresourcedefinitions(\?dryRun=All)?$/;

for (const file of ["crd-schema.json", "crd.json"]) {
  test(`definitions: ${file}`, { skip }, () => {
    for (const { do: request, body, expect } of stepsOf(file)) {
      const isObject = typeof body === "object" && body !== null && "spec" in body;
      if (!creates.test(request) || !isObject || (expect.status !== 201 && expect.status !== 422)) continue;
      const found = create(customResourceDefinitions, definitionIn(body));
      assert.equal(found, expect.status === 422 ? expect.body.message : undefined, JSON.stringify(body));
    }
  });
}

for (const file of ["instances.json", "instances-cel.json"]) {
  test(`instances: ${file}`, { skip }, () => {
    let served: ResourceDefinition | undefined;
    for (const { do: request, body, expect } of stepsOf(file)) {
      if (creates.test(request)) served = servedBy(definitionIn(body));
      else if (served !== undefined && request.startsWith("POST ") && !request.includes("?")) {
        if (expect.status !== 201 && expect.status !== 422) continue;
        const found = createInstance(served, body);
        assert.equal(found, expect.status === 422 ? expect.body.message : undefined, JSON.stringify(body));
      }
    }
  });
}

function servedBy(crd: CustomResourceDefinition): ResourceDefinition {
  assert.equal(create(customResourceDefinitions, crd), undefined);
  const established = { ...crd, status: { conditions: [], acceptedNames: crd.spec.names, storedVersions: [] } };
  const options = { webhooks: undefined as never, random: undefined as never, clock: createVirtualClock() };
  const [first] = resourcesOfCustom(() => established, options);
  assert.ok(first);
  return first;
}

function createInstance(definition: ResourceDefinition, body: unknown): string | undefined {
  try {
    return create(definition, codecOf(definition).decode(body, true).object);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "#api/registry.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { applyStrategicMergePatch } from "#apimachinery/strategic-merge.ts";
import { StrategicMergeError } from "#apimachinery/strategic-merge-lists.ts";
import { type RecordedStep, recordedScenario } from "#apimachinery/testing/recorded.ts";
import { assertFound, clientFields } from "./assert-found.ts";

/**
 * Replays recorded strategic merge patches as pure functions: the object of each answer is what the
 * next patch meets. The answers have been decoded and defaulted, so what the patch made must be
 * found in them, lists whole and in order.
 */
const scenarios = [
  "atomic-lists",
  "conditions",
  "directives",
  "finalizers",
  "invalid",
  "other-kinds",
  "retain-keys",
  "service",
  "webhooks-kinds",
].map((name) => `strategic-merge/${name}`);

describe("applyStrategicMergePatch", () => {
  for (const name of scenarios) {
    const scenario = recordedScenario(name);
    it(`answers as recorded in ${name}`, { skip: scenario === undefined }, () => {
      const live = new Map<string, KubeObject>();
      let count = 0;
      for (const step of scenario?.steps ?? []) {
        const { path, object } = readStep(step);
        const isPatch = step.type === "application/strategic-merge-patch+json";
        const old = live.get(path);
        if (isPatch && old !== undefined) count += checkPatch(step, old);
        if (step.expect.status < 300 && object !== undefined) live.set(path, object);
      }
      assert.ok(count > 2);
    });
  }
});

function readStep(step: RecordedStep): { path: string; object: KubeObject | undefined } {
  const body = step.expect.body as KubeObject | undefined;
  const [verb, target = ""] = step.do.split(" ");
  const collection = target.split("?")[0] ?? "";
  const path = verb === "POST" ? `${collection}/${body?.metadata?.name}` : collection;
  return {
    path: path.replace(/\/status$/, ""),
    object: body?.kind === "Status" ? undefined : body,
  };
}

/** 1 when the answer could be compared, else 0. */
function checkPatch(step: RecordedStep, live: KubeObject): 0 | 1 {
  const patch = typeof step.body === "string" ? parse(step.body) : step.body;
  if (!isJsonMap(patch)) return 0;
  const definition = resources.find(
    ({ group, version, kind }) =>
      kind === live.kind && (group === "" ? version : `${group}/${version}`) === live.apiVersion,
  );
  assert.ok(definition !== undefined, `${live.apiVersion} ${live.kind}`);
  const { status, body } = step.expect;
  const { message, reason } = body as { message?: string; reason?: string };
  const what = `${step.do} ${JSON.stringify(patch)}`;
  try {
    const merged = applyStrategicMergePatch(
      live as object as Record<string, unknown>,
      patch,
      definition.schema,
    );
    // What remains is refused by decoding or validation.
    if (status >= 300) assert.notEqual(status, 500, what);
    else assertFound(clientFields(merged), body, what);
  } catch (error) {
    if (!(error instanceof StrategicMergeError)) throw error;
    assert.deepEqual([error.code, error.message], [status, message], what);
    assert.equal(reason, error.code === 400 ? "BadRequest" : undefined, what);
  }
  return 1;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

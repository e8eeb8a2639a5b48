import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#apimachinery/object.ts";
import { createMetricRegistry } from "#base/metrics.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { admissionMeters } from "../metrics/admission-meters.ts";
import { type Admission, type AdmissionPlugin, type AdmissionRequest, createAdmission } from "./admission.ts";

function chain(plugins: readonly AdmissionPlugin[], registry = createMetricRegistry()): Admission {
  return createAdmission(plugins, { clock: createVirtualClock(), meters: admissionMeters(registry) });
}

function plugin(name: string, mutate: NonNullable<AdmissionPlugin["mutate"]>): AdmissionPlugin {
  return { name, mutate };
}

function labelled(object: KubeObject | undefined, key: string): KubeObject {
  const labels = { ...object?.metadata?.labels, [key]: "yes" };
  return { ...object, metadata: { ...object?.metadata, labels } };
}

function requestOf(object: KubeObject, warnings: string[] = []): AdmissionRequest {
  const call = { warn: (text: string) => void warnings.push(text) };
  return { operation: "CREATE", call, object } as unknown as AdmissionRequest;
}

test("each mutator sees what those before it did", async () => {
  const admission = chain([
    plugin("a", ({ object }) => labelled(object, "a")),
    plugin("b", ({ object }) =>
      object?.metadata?.labels?.["a"] ? labelled(object, "b") : undefined,
    ),
  ]);
  const object = await admission.mutate(requestOf({ metadata: { name: "x" } }));
  assert.deepEqual(object?.metadata?.labels, { a: "yes", b: "yes" });
});

test("mutators run a second time when one asks for it, and no more", async () => {
  const runs: boolean[] = [];
  const admission = chain([
    plugin("a", ({ object, passes }) => {
      runs.push(passes?.again === true);
      if (passes !== undefined) passes.wanted = true;
      return object;
    }),
  ]);
  await admission.mutate(requestOf({ metadata: {} }));
  assert.deepEqual(runs, [false, true]);
});

test("managed fields that a mutator garbles are put back, with a warning", async () => {
  const warnings: string[] = [];
  const good = [
    { manager: "m", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: {} },
  ];
  const admission = chain([
    plugin("a", ({ object }) => ({
      ...object,
      metadata: { ...object?.metadata, managedFields: [{ ...good[0], operation: "Nonsense" }] },
    })),
  ]);
  const object = await admission.mutate(requestOf({ metadata: { managedFields: good } }, warnings));
  assert.deepEqual(object?.metadata?.managedFields, good);
  assert.match(warnings.join(), /managedFields was in an invalid state after admission/);
});

test("the first refusal of validators wins", async () => {
  const refusing = (name: string): AdmissionPlugin => ({
    name,
    validate() {
      throw new Error(name);
    },
  });
  const admission = chain([refusing("a"), refusing("b")]);
  await assert.rejects(admission.validate(requestOf({})), { message: "a" });
});

test("admission is timed, as a whole and by plugin, whether it refuses or not", async () => {
  const registry = createMetricRegistry();
  const refusing: AdmissionPlugin = {
    name: "refuses",
    validate: ({ object }) => {
      if (object?.metadata?.name === "bad") throw new Error("no");
    },
  };
  const waiting: AdmissionPlugin = { ...refusing, name: "waits", validate: async (request) => refusing.validate?.(request) };
  const admission = chain([plugin("changes", ({ object }) => object), waiting, refusing], registry);
  const request = requestOf({ metadata: { name: "good" } });
  await admission.mutate(request);
  await admission.validate(request);
  await assert.rejects(admission.validate(requestOf({ metadata: { name: "bad" } })));
  const counts = registry.families().flatMap((family) => {
    if (family.type !== "histogram") return [];
    return [...family.series()].map(({ values, cell }) => `${family.name.split("_")[2]} ${values.join(" ")} ${cell.count}`);
  });
  assert.deepEqual(counts.toSorted(), [
    "controller changes admit CREATE false 1",
    "controller refuses validate CREATE false 1",
    "controller waits validate CREATE false 1",
    "controller waits validate CREATE true 1",
    "step admit CREATE false 1",
    "step validate CREATE false 1",
    "step validate CREATE true 1",
  ]);
});

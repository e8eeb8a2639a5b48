import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "#api/registry.ts";
import { canonical } from "#apimachinery/canonical.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { applySchemaDefaults, DecodeError, decodeJson } from "#apimachinery/json-codec.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { invalidStatus } from "#apimachinery/status.ts";
import {
  type RecordedScenario,
  type RecordedStep,
  recordedNames,
  recordedScenario,
} from "#apimachinery/testing/recorded.ts";
import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import { featureDefaults } from "#cmd/feature-defaults.ts";

/**
 * Runs recorded creates through what the kinds themselves decide: decoding, defaults, preparation
 * and validation, and compares the object or the refusal. What the store, admission or
 * authorization add is left out, or named in `decidedElsewhere`.
 */
const names = recordedNames("resources");

/** Creates whose answer comes from elsewhere than the kind, by the note of the step. */
const decidedElsewhere: Readonly<Record<string, readonly string[]>> = {
  "admissionregistration/mutatingadmissionpolicy": ["label added"],
  "admissionregistration/vap-evaluation": [
    "bad: denied, message",
    "bad: denied, no message: the expression",
    "bad: evaluation error with failurePolicy Fail",
    "bad: generateName",
    "bad: several fail: the first is told",
  ],
  "admissionregistration/vap-params": ["bad: params, message"],
  // Empty lists and maps decode as absent ones: shown as the other, or defaulted.
  "apiextensions/crd": ["bad: no spec"],
  "autoscaling/hpa-v2": ["bad: behavior"],
  "core/persistentvolume": ["bad: several"],
  // The recording hides a number after "current".
  "batch/job": ["bad: success policy rules"],
  "core/pod-limitrange": [
    "bad: request above the default limit",
    "defaults filled in",
    "init containers too",
    "limit from the default",
    "request from the limit",
  ],
  "core/pod-podsecurity": ["bad: level unknown", "bad: version unknown"],
  // Upstream walks a map of Go.
  "core/pod-resources": ["bad: unknown names"],
  // Managed fields that cannot be read are dropped.
  "core/pod-validation-meta": ["bad: managedFields"],
  "core/service": [
    "bad: IPv6 clusterIP",
    "bad: IPv6 only",
    "bad: clusterIP out of range",
    "bad: clusterIP taken",
    "bad: dual stack required",
  ],
  "core/service-nodeport-lb": [
    "bad: node port out of range",
    "bad: node port taken",
    "bad: same node port twice",
  ],
  "resource/resourceclaim": ["bad: adminAccess outside an admin namespace"],
};

const collectionPattern =
  /^POST \/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/?]+)$/;

describe("creates of recorded kinds", { skip: names.length === 0 }, () => {
  for (const name of names) {
    const scenario = recordedScenario(name, "resources");
    const creates = scenario === undefined ? [] : createsOf(scenario);
    if (creates.length === 0) continue;
    it(name, () => {
      const excused = decidedElsewhere[name] ?? [];
      const wrong = creates.flatMap((create) => {
        const found = differences(create);
        const note = (create.step as { note?: string }).note ?? "";
        return found === undefined || excused.includes(note) ? [] : [{ note, ...found }];
      });
      assert.deepEqual(wrong, []);
    });
  }
});

interface Create {
  readonly step: RecordedStep;
  readonly definition: ResourceDefinition;
  readonly namespace: string;
  readonly body: object;
}

function createsOf({ steps }: RecordedScenario): Create[] {
  return steps.flatMap((step) => {
    const [, group = "", version, namespace = "", plural] = collectionPattern.exec(step.do) ?? [];
    const definition = resources.find(
      (each) => each.group === group && each.version === version && each.plural === plural,
    );
    const { status } = step.expect;
    const isOwn = status === 201 || status === 422;
    if (definition === undefined || definition.handler !== undefined || !isOwn) return [];
    if (!isJsonMap(step.body)) return [];
    return [{ step, definition, namespace: filled(namespace), body: filledBody(step.body) }];
  });
}

function filledBody(body: object): object {
  return JSON.parse(filled(JSON.stringify(body))) as object;
}

function filled(text: string): string {
  return text
    .replaceAll(/\$\{repeat:(.):(\d+)\}/g, (_, letter: string, times) =>
      letter.repeat(Number(times)),
    )
    .replaceAll("${ns}", "ns1")
    .replaceAll("${rand}", "rand1");
}

function differences({ step, definition, namespace, body }: Create): object | undefined {
  const { status, body: expected } = step.expect as {
    status: number;
    body?: KubeObject & { message?: string };
  };
  const outcome = run(definition, namespace, body);
  if (outcome === undefined) return undefined;
  const { refusal, object } = outcome;
  if (status === 422) {
    const wanted = firstLine(expected?.message ?? "");
    return firstLine(refusal ?? "accepted") === wanted ? undefined : { refusal, wanted };
  }
  if (refusal !== undefined) return { refusal, wanted: "accepted" };
  if (expected?.kind !== definition.kind) return undefined;
  const own = comparable(definition, canonical(definition.schema, object));
  const wanted = comparable(definition, expected as unknown as Record<string, unknown>);
  return semanticEqual(own, wanted) ? undefined : { own, wanted };
}

function firstLine(text: string): string {
  return masked(text.split("\n")[0] ?? "");
}

interface Outcome {
  readonly refusal?: string | undefined;
  readonly object: KubeObject;
}

/** Undefined where decoding already refuses. */
function run(definition: ResourceDefinition, namespace: string, body: object): Outcome | undefined {
  const decoded = decoding(definition, body);
  if (decoded === undefined) return undefined;
  const object = definition.conversion?.toStorage(decoded) ?? decoded;
  const { strategy } = storedOf(definition);
  const { generateName } = object.metadata ?? {};
  object.metadata = {
    ...object.metadata,
    uid: "11111111-1111-1111-1111-111111111111",
    creationTimestamp: "2026-01-01T00:00:00Z",
  };
  const meta = object.metadata;
  if (namespace === "") delete meta.namespace;
  else meta.namespace ??= namespace;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  if (meta.name === undefined && generateName !== undefined) meta.name = `${generateName}abcde`;
  const context = {
    namespace,
    userName: "admin",
    nowMs: Date.parse("2026-01-01T00:00:00Z"),
    features: { enabled: (gate: string) => featureDefaults[gate] ?? true },
    subresource: "",
    allowPrivileged: false,
  };
  strategy.prepareForCreate?.(object, context);
  const errors = [
    ...validateObjectMeta(meta, {
      namespaced: definition.scope === "Namespaced",
      nameRule: strategy.nameRule,
    }),
    ...(strategy.validate?.(object, context) ?? []),
  ];
  if (errors.length > 0) {
    return { object, refusal: invalidStatus(definition, meta.name ?? "", errors).status.message };
  }
  strategy.canonicalize?.(object);
  return { object: definition.conversion?.fromStorage(object) ?? object };
}

function decoding({ schema, strategy }: ResourceDefinition, body: object): KubeObject | undefined {
  let object: KubeObject;
  try {
    object = decodeJson<KubeObject>(schema, body).object;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
  applySchemaDefaults(schema, object);
  strategy.default?.(object);
  return object;
}

function storedOf(definition: ResourceDefinition): ResourceDefinition {
  const { group, plural, conversion } = definition;
  if (conversion === undefined) return definition;
  const stored = resources.find(
    (each) => each.group === group && each.plural === plural && each.conversion === undefined,
  );
  return stored ?? definition;
}

/** What the server or admission sets, by kind. */
const setElsewhere: Readonly<Record<string, readonly string[]>> = {
  Pod: ["tolerations", "priority", "preemptionPolicy", "overhead", "nodeSelector"],
  Service: [
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "healthCheckNodePort",
    "ports",
  ],
  Node: ["taints"],
};

function comparable({ kind }: ResourceDefinition, object: Record<string, unknown>): unknown {
  const {
    apiVersion: _,
    kind: _k,
    metadata,
    spec,
    ...rest
  } = JSON.parse(masked(JSON.stringify(object))) as Record<string, Record<string, unknown>>;
  const { labels, annotations } = metadata ?? {};
  const left = setElsewhere[kind] ?? [];
  // The uids and versions of what events and volumes refer to are hidden.
  delete rest["involvedObject"];
  delete spec?.["claimRef"];
  const ownSpec = Object.entries(spec ?? {}).filter(([name]) => !left.includes(name));
  return { ...rest, spec: Object.fromEntries(ownSpec), metadata: { labels, annotations } };
}

/** The recording hides what differs between runs. */
function masked(text: string): string {
  return text
    .replaceAll("<ns>", "ns1")
    .replaceAll("<rand>", "rand1")
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<hidden>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "<hidden>")
    .replaceAll(/\b10\.\d+\.\d+\.\d+\b/g, "<hidden>")
    .replaceAll(/<[a-zA-Z./-]+>/g, "<hidden>");
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "#api/registry.ts";
import type { ApplyNode } from "#apimachinery/apply/apply-schema.ts";
import {
  applyPatch,
  type FieldManagement,
  updateManagedFields,
} from "#apimachinery/apply/field-manager.ts";
import { fieldSetOfNames } from "#apimachinery/apply/field-set.ts";
import { parentManagedFields } from "#apimachinery/apply/scale-managers.ts";
import { applySchemaOf } from "#apimachinery/apply/struct-schema.ts";
import { applySchemaOfStructural } from "#apimachinery/apply/structural-schema.ts";
import { type KubeObject, type ManagedFieldsEntry, parseApiVersion } from "#apimachinery/object.ts";
import { isStatusError } from "#apimachinery/status.ts";
import { assertFound, clientFields } from "./assert-found.ts";
import { type RecordedStep, recordedScenario } from "#apimachinery/testing/recorded.ts";

/**
 * Replays recorded requests as pure functions: the object of each answer is the live object of the
 * next request. What is compared is what apply decides: managed fields, conflicts, type errors.
 */
const scenarios = [
  "after-delete",
  "apply-then-update",
  "atomic",
  "containers",
  "crd-lists",
  "crd-maps",
  "crd-schemaless-change",
  "crd-two-keys",
  "create",
  "disjoint",
  "field-validation",
  "finalizers",
  "give-up",
  "immutable",
  "invalid-bodies",
  "last-applied",
  "managed-fields-reset",
  "managed-fields-set",
  "managed-fields-tracking",
  "names",
  "no-op-event",
  "normalised-values",
  "order",
  "owner-references",
  "ports",
  "scale",
  "service-atomic",
  "service-ips",
  "status",
  "typed-values",
  "wrong-version",
].map((name) => `apply/${name}`);

/** Where the server writes another object than apply makes, and why. */
const changedAfterwards: Readonly<Record<string, string>> = {
  "apply/normalised-values": "quantities become canonical",
  "apply/owner-references": "the recording hides uids",
  "apply/service-ips": "addresses are allocated and released",
  "apply/status": "writes of the status reset the rest",
  "apply/typed-values": "quantities become canonical",
};

interface Answer {
  readonly managedFields?: unknown;
  readonly message?: string | undefined;
  readonly causes?: unknown;
}

describe("managed fields", () => {
  for (const name of scenarios) {
    const scenario = recordedScenario(name);
    it(`follow ${name}`, { skip: scenario === undefined }, () => {
      const world: World = {
        live: new Map(),
        custom: new Map(),
        comparesObjects: !(name in changedAfterwards),
      };
      let count = 0;
      for (const step of scenario?.steps ?? []) {
        const expected = expectedAnswer(step);
        const found = expected && answer(world, step);
        if (found !== undefined) {
          assert.deepEqual(found, expected, `${step.do} ${JSON.stringify(step.body)}`);
          count++;
        }
        learn(world, step);
      }
      assert.ok(count > 0, "the scenario holds nothing to compare");
    });
  }
});

const decidedByApply =
  /^(Apply failed with|failed to create typed patch|invalid object type|metadata.managedFields)/;

/** Undefined when something else than apply decided. */
function expectedAnswer({ expect }: RecordedStep): Answer | undefined {
  const body = expect.body as (KubeObject & { message?: string; details?: object }) | undefined;
  if (expect.status < 300) return { managedFields: timeless(body?.metadata?.managedFields) };
  const message = body?.message ?? "";
  if (!decidedByApply.test(message)) return undefined;
  const { causes } = (body?.details ?? {}) as { causes?: unknown };
  return { message, causes };
}

/** Sorted by text, times reduced to whether there is one: the recording does not keep more. */
function timeless(entries: readonly ManagedFieldsEntry[] | undefined): unknown {
  return entries
    ?.map((entry) => JSON.stringify(sorted({ ...entry, time: Boolean(entry.time) })))
    .sort();
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}

interface Request {
  readonly verb: string;
  readonly plural: string;
  readonly group: string;
  readonly version: string;
  readonly name: string;
  readonly subresource: string;
  readonly query: URLSearchParams;
}

const pathPattern =
  /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/[^/]+)?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

function readRequest(step: RecordedStep): Request | undefined {
  const [verb = "", target = ""] = step.do.replaceAll("${rand}", "<rand>").split(" ");
  const url = new URL(target, "http://host");
  const match = pathPattern.exec(decodeURIComponent(url.pathname));
  if (match === null) return undefined;
  const [, group = "", version = "", plural = "", named, subresource = ""] = match;
  const body = step.expect.body as KubeObject | undefined;
  const name = named ?? body?.metadata?.name ?? "";
  return { verb, group, version, plural, name, subresource, query: url.searchParams };
}

interface World {
  readonly comparesObjects: boolean;
  /** Objects by `group/plural/name`. */
  readonly live: Map<string, KubeObject>;
  /** Custom resources by `group/version/plural`. */
  readonly custom: Map<string, { kind: string; schema: ApplyNode }>;
}

type ResourceName = Pick<Request, "group" | "version" | "plural">;

interface Situation {
  readonly comparesObjects: boolean;
  readonly request: Request;
  readonly live: KubeObject | undefined;
}

const time = "2026-01-01T00:00:00Z";

function keyOf({ group, plural, name }: Request): string {
  return `${group}/${plural}/${name}`;
}

function typeOf({ custom }: World, { group, version, plural }: ResourceName) {
  const own = custom.get(`${group}/${version}/${plural}`);
  if (own !== undefined) return own;
  const found = resources.find(
    (each) => each.group === group && each.version === version && each.plural === plural,
  );
  return found && { kind: found.kind, schema: applySchemaOf(found.schema) };
}

function managementOf(world: World, request: Request): FieldManagement | undefined {
  const { group, version, plural, subresource } = request;
  const own = typeOf(world, request);
  if (own === undefined) return undefined;
  const reset = subresource === "status" ? ["spec", "metadata.labels"] : ["status"];
  return {
    kind: own.kind,
    subresource,
    apiVersion: group === "" ? version : `${group}/${version}`,
    schemaOf(apiVersion) {
      const parsed = parseApiVersion(apiVersion);
      return typeOf(world, { ...parsed, plural })?.schema;
    },
    convert: (object, apiVersion) => ({ ...object, apiVersion }),
    filterOf: () => (plural === "deployments" ? { exclude: fieldSetOfNames(reset) } : undefined),
  };
}

function answer(world: World, step: RecordedStep): Answer | undefined {
  const request = readRequest(step);
  const management = request && managementOf(world, request);
  if (request === undefined || management === undefined || request.subresource === "scale")
    return undefined;
  const isApply = step.type?.startsWith("application/apply-patch") === true;
  const live = world.live.get(keyOf(request));
  const { comparesObjects } = world;
  if (isApply) return applyAnswer(management, { request, live, comparesObjects }, step);
  const writes = ["PUT", "PATCH"].includes(request.verb);
  return writes ? updateAnswer(management, { request, live, comparesObjects }, step) : undefined;
}

function applyAnswer(
  management: FieldManagement,
  { request, live, comparesObjects }: Situation,
  step: RecordedStep,
): Answer | undefined {
  const patch = bodyOf(step);
  if (patch === undefined) return undefined;
  try {
    const object = applyPatch(management, {
      live,
      patch,
      manager: request.query.get("fieldManager") ?? "",
      force: request.query.get("force") === "true",
      time,
    });
    const { status, body } = step.expect;
    const whole = clientFields(object as object as Record<string, unknown>);
    if (status < 300 && comparesObjects) assertFound(whole, body, step.do);
    return { managedFields: timeless(object.metadata?.managedFields) };
  } catch (error) {
    if (!isStatusError(error)) throw error;
    const { message, details } = error.status;
    return { message, causes: details?.causes };
  }
}

function updateAnswer(
  management: FieldManagement,
  { request, live }: Situation,
  step: RecordedStep,
): Answer {
  const answered = step.expect.body as KubeObject;
  const sent =
    sentEntries(step) ?? (request.verb === "PUT" ? undefined : live?.metadata?.managedFields);
  const entries = updateManagedFields(management, {
    live,
    updated: { ...answered, metadata: { ...answered.metadata, managedFields: sent } },
    manager: request.query.get("fieldManager") ?? "unknown",
    time,
  });
  return { managedFields: timeless(entries) };
}

function learn({ live, custom }: World, step: RecordedStep): void {
  const request = readRequest(step);
  if (request === undefined || step.expect.status >= 300) return;
  const body = step.expect.body as KubeObject;
  learnDefinition(custom, body);
  if (request.query.has("dryRun") || request.query.has("watch") || request.name === "") return;
  if (request.subresource === "scale") learnScale(live, request, step);
  else if (request.verb === "DELETE") live.delete(keyOf(request));
  else if (body.kind !== "Status") live.set(keyOf(request), body);
}

function learnDefinition(custom: World["custom"], body: KubeObject): void {
  if (body.kind !== "CustomResourceDefinition") return;
  const { spec } = body as unknown as { spec: DefinitionSpec };
  for (const { name, schema } of spec.versions) {
    custom.set(`${spec.group}/${name}/${spec.names.plural}`, {
      kind: spec.names.kind,
      schema: applySchemaOfStructural(schema.openAPIV3Schema),
    });
  }
}

/** The answer shows no managed fields; those of the parent must tell of later conflicts. */
function learnScale(live: World["live"], request: Request, step: RecordedStep): void {
  if (request.verb === "GET") return;
  const parent = live.get(keyOf(request)) as KubeObject & { spec: object };
  const { spec } = step.expect.body as { spec: { replicas: number } };
  const managedFields = parentManagedFields(
    parent.metadata?.managedFields,
    [scaleEntry(request, step)],
    { apiVersion: "apps/v1", replicasPath: () => "spec.replicas" },
  );
  const scaled = {
    ...parent,
    metadata: { ...parent.metadata, managedFields },
    spec: { ...parent.spec, replicas: spec.replicas },
  };
  live.set(keyOf(request), scaled);
}

/** The replicas are the only field of a Scale: whoever writes them is its only manager. */
function scaleEntry({ query }: Request, { type }: RecordedStep): ManagedFieldsEntry {
  return {
    manager: query.get("fieldManager") ?? "unknown",
    operation: type?.startsWith("application/apply-patch") === true ? "Apply" : "Update",
    apiVersion: "autoscaling/v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:spec": { "f:replicas": {} } },
    subresource: "scale",
  };
}

interface DefinitionSpec {
  readonly group: string;
  readonly names: { readonly plural: string; readonly kind: string };
  readonly versions: readonly { name: string; schema: { openAPIV3Schema: unknown } }[];
}

function bodyOf(step: RecordedStep): Record<string, unknown> | undefined {
  const text = typeof step.body === "string" ? step.body : JSON.stringify(step.body);
  try {
    const body: unknown = JSON.parse(
      text.replaceAll("${rand}", "<rand>").replaceAll("${ns}", "<ns>"),
    );
    const isMap = typeof body === "object" && body !== null && !Array.isArray(body);
    return isMap ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** What a client sent as managed fields: in an object, a merge patch or a JSON patch. */
function sentEntries({ body }: RecordedStep): ManagedFieldsEntry[] | undefined {
  if (Array.isArray(body)) {
    const operations = body as { path: string; value: unknown }[];
    const set = operations.find(({ path }) => path === "/metadata/managedFields");
    return set?.value as ManagedFieldsEntry[] | undefined;
  }
  return (body as KubeObject | undefined)?.metadata?.managedFields;
}

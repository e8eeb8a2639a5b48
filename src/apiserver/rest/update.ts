import { deepEqual } from "#apimachinery/deep-equal.ts";
import { invalid } from "#apimachinery/field-error.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import {
  conflict,
  invalidStatus,
  modifiedMessage,
  notFound,
  plainError,
  type Qualified,
} from "#apimachinery/status.ts";
import {
  validateObjectMeta,
  validateObjectMetaUpdate,
} from "#apimachinery/validation/object-meta.ts";
import type { AdmissionRequest } from "../admission/admission.ts";
import { type Call, type Endpoint, isDryRun } from "../call.ts";
import type { Stored, UpdateDecision } from "../storage/storage.ts";
import { createFilled } from "./create.ts";
import { decodeBody, expectedOf } from "./decode.ts";
import { keepTimestamps, trackUpdate } from "./managed-fields.ts";
import {
  dedupOwners,
  dropSelfLink,
  ensureName,
  ensureNamespace,
  fillSystemFields,
  metaOf,
} from "./metadata.ts";
import {
  applyDefaults,
  fromHub,
  hooksOf,
  refuseInvalid,
  type RestDeps,
  toHub,
  updateContext,
  type Written,
} from "./rest.ts";

/** PUT of one object or of a subresource that is a view of it (status, resize...). */
export async function update(endpoint: Endpoint, call: Call, deps: RestDeps): Promise<Written> {
  const decoded = decodeBody(call, expectedOf(endpoint.definition), deps.kinds);
  const meta = metaOf(decoded);
  ensureName(call, meta);
  ensureNamespace(call, meta);
  applyDefaults(endpoint.definition, decoded);
  call.trail?.request(decoded);
  dropSelfLink(meta);
  dedupOwners(call, meta, false);
  return updateWith(endpoint, call, {
    deps,
    uid: meta.uid ?? "",
    allowCreate: endpoint.hub.strategy.allowCreateOnUpdate === true && call.subresource === "",
    transform: (live) =>
      Promise.resolve(
        trackUpdate({ endpoint, call, updated: shallowCopy(decoded), ...(live && { live }) }),
      ),
  });
}

export interface UpdatePlan {
  readonly deps: RestDeps;
  /** Must be the stored object's when not "". */
  readonly uid: string;
  readonly allowCreate: boolean;
  /**
   * The wanted object in the request's version, owned by the request, from the live one (same
   * version, frozen; absent when there is none). Runs once per try.
   */
  readonly transform: (live: KubeObject | undefined) => Promise<KubeObject>;
  /**
   * How admission sees the write where it is no plain update: `done` when the caller has asked it,
   * or a view that validators get; `transform` has then asked the mutators.
   */
  readonly admission?: "done" | ((object: KubeObject, old: KubeObject) => AdmissionView);
}

/** Another object than the stored one, such as a Scale. */
export type AdmissionView = Required<Pick<AdmissionRequest, "kind" | "object" | "oldObject">>;

/** Reads, transforms, checks and writes until no other write came between. */
export async function updateWith(endpoint: Endpoint, call: Call, plan: UpdatePlan): Promise<Written> {
  const key = endpoint.storage.keyOf(call.namespace, call.name);
  for (;;) {
    const current = await endpoint.storage.find(key);
    if (current === undefined) {
      const created = await createByUpdate(endpoint, call, plan);
      if (created !== undefined) return created;
      continue;
    }
    const outcome = await updateExisting(endpoint, call, { plan, key, current });
    if (outcome !== undefined) return outcome;
  }
}

function qualifiedOf({ definition }: Endpoint): Qualified {
  return { group: definition.group, resource: definition.plural };
}

async function createByUpdate(
  endpoint: Endpoint,
  call: Call,
  plan: UpdatePlan,
): Promise<Written | undefined> {
  if (!plan.allowCreate) throw notFound(qualifiedOf(endpoint), call.name);
  if (plan.uid !== "") throw uidConflict(endpoint, call, { wanted: plan.uid, found: "" });
  const wanted = toHub(endpoint, await plan.transform(undefined));
  const request = { operation: "CREATE", call, endpoint, definition: endpoint.hub, name: call.name } as const;
  const object = (await plan.deps.admission.mutate({ ...request, object: wanted })) ?? wanted;
  delete metaOf(object).resourceVersion;
  fillSystemFields(metaOf(object), call.nowMs, plan.deps.random);
  const entry = await createFilled(endpoint, call, { object, deps: plan.deps });
  return { entry, created: true };
}

interface Attempt {
  readonly plan: UpdatePlan;
  readonly key: string;
  readonly current: Stored;
}

async function updateExisting(
  endpoint: Endpoint,
  call: Call,
  { plan, key, current }: Attempt,
): Promise<Written | undefined> {
  const old = current.entry.object;
  if (plan.uid !== "" && plan.uid !== old.metadata?.uid) {
    throw uidConflict(endpoint, call, { wanted: plan.uid, found: old.metadata?.uid ?? "" });
  }
  const wanted = toHub(endpoint, await plan.transform(fromHub(endpoint, old)));
  const object = await admit(endpoint, call, { plan, wanted, old });
  dedupOwners(call, metaOf(object), true);
  checkResourceVersion(endpoint, call, { object, old });
  const finish = await hooksOf(plan.deps, endpoint.hub).beginUpdate?.(object, old, call);
  let succeeded = false;
  try {
    const decision = await decide(endpoint, call, { object, old, current, plan });
    const outcome = await endpoint.storage.updateFrom(key, current, {
      dryRun: isDryRun(call),
      decision,
    });
    if (outcome === undefined) return undefined;
    succeeded = !isDryRun(call);
    if (outcome.decision === "delete") {
      await hooksOf(plan.deps, endpoint.hub).afterDelete?.(outcome.entry.object, call);
      const entry = endpoint.storage.entries.unstored(
        await endpoint.storage.encode(object),
        current.kv.modRevision,
      );
      await endpoint.storage.prepare([entry]);
      return { entry, created: false };
    }
    return { entry: outcome.entry, created: false };
  } finally {
    await finish?.(succeeded);
  }
}

async function admit(
  endpoint: Endpoint,
  call: Call,
  { plan, wanted, old }: { readonly plan: UpdatePlan; readonly wanted: KubeObject; readonly old: KubeObject },
): Promise<KubeObject> {
  if (plan.admission !== undefined) return wanted;
  const mutated = await plan.deps.admission.mutate({
    operation: "UPDATE",
    call,
    endpoint,
    definition: endpoint.hub,
    name: call.name,
    object: wanted,
    oldObject: old,
  });
  return mutated ?? wanted;
}

function checkResourceVersion(
  endpoint: Endpoint,
  call: Call,
  { object, old }: { object: KubeObject; old: KubeObject },
): void {
  const meta = metaOf(object);
  const version = meta.resourceVersion ?? "";
  if (version !== "" && !/^\d+$/.test(version)) {
    throw plainError(`strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
  }
  const unconditional = endpoint.hub.strategy.allowUnconditionalUpdate ?? true;
  if (version === "" || Number(version) === 0) {
    if (!unconditional) {
      const { group, plural } = endpoint.definition;
      throw invalidStatus({ group, kind: plural }, call.name, [
        invalid("metadata.resourceVersion", 0, "must be specified for an update"),
      ]);
    }
    meta.resourceVersion = old.metadata?.resourceVersion;
  } else if (version !== old.metadata?.resourceVersion) {
    throw conflict(qualifiedOf(endpoint), call.name, modifiedMessage);
  }
}

async function decide(
  endpoint: Endpoint,
  call: Call,
  spec: { object: KubeObject; old: KubeObject; current: Stored; plan: UpdatePlan },
): Promise<UpdateDecision> {
  const { old, plan } = spec;
  const { deps } = plan;
  prepareUpdate(endpoint, call, spec);
  const object = keepTimestamps(spec.object, old);
  if (plan.admission !== "done") {
    await deps.admission.validate({
      operation: "UPDATE",
      call,
      endpoint,
      definition: endpoint.hub,
      name: call.name,
      object,
      oldObject: old,
      ...plan.admission?.(object, old),
    });
  }
  if (shouldDelete(endpoint, object, old)) return { do: "delete" };
  const value = await endpoint.storage.encode(object);
  const ttlSeconds = hooksOf(deps, endpoint.hub).ttlSeconds?.(object);
  const lasting = ttlSeconds === undefined ? {} : { ttlSeconds };
  if (Buffer.compare(value, spec.current.kv.value) === 0) return { do: "keep", ...lasting };
  return { do: "write", value, ...lasting };
}

function strategyOf(endpoint: Endpoint, call: Call): Strategy<KubeObject> {
  const { hub } = endpoint;
  // A scale is a view of the object itself: what it changes counts as a change of that.
  if (call.subresource === "" || call.subresource === "scale") return hub.strategy;
  return { ...hub.subresources[call.subresource]?.strategy };
}

function prepareUpdate(
  endpoint: Endpoint,
  call: Call,
  { object, old }: { object: KubeObject; old: KubeObject },
): void {
  const strategy = strategyOf(endpoint, call);
  const context = updateContext(call, old);
  const meta = metaOf(object);
  const oldMeta = old.metadata ?? {};
  meta.generation = oldMeta.generation;
  strategy.prepareForUpdate?.(object, context);
  if (strategy.generation && meta.generation === oldMeta.generation && changedSpec(object, old)) {
    meta.generation = (oldMeta.generation ?? 0) + 1;
  }
  meta.uid ||= oldMeta.uid;
  if (oldMeta.creationTimestamp) meta.creationTimestamp = oldMeta.creationTimestamp;
  if (oldMeta.deletionTimestamp) meta.deletionTimestamp = oldMeta.deletionTimestamp;
  if (oldMeta.deletionGracePeriodSeconds !== undefined) {
    meta.deletionGracePeriodSeconds ??= oldMeta.deletionGracePeriodSeconds;
  }
  refuseInvalid(call, object, [
    ...validateObjectMeta(meta, {
      namespaced: endpoint.hub.scope === "Namespaced",
      nameRule: "path",
      plainFinalizers: endpoint.hub.strategy.plainFinalizers === true,
    }),
    // Upstream looks at it twice, by itself and with the kind, and lists what it finds twice.
    ...validateObjectMetaUpdate(meta, oldMeta),
    ...validateObjectMetaUpdate(meta, oldMeta),
    ...(strategy.validateUpdate?.(object, context) ?? []),
  ]);
  for (const text of strategy.warnings?.(object, context) ?? []) call.warn(text);
  endpoint.hub.strategy.canonicalize?.(object);
}

/** Anything but metadata and status. */
function changedSpec(object: KubeObject, old: KubeObject): boolean {
  const { metadata: _m, status: _s, ...spec } = object as KubeObject & { status?: unknown };
  const { metadata: _om, status: _os, ...oldSpec } = old as KubeObject & { status?: unknown };
  return !deepEqual(spec, oldSpec);
}

/** The last finalizer went, and the grace period is over: the object goes too. */
function shouldDelete(endpoint: Endpoint, object: KubeObject, old: KubeObject): boolean {
  const { metadata: meta } = object;
  if ((meta?.finalizers?.length ?? 0) > 0 || old.metadata?.deletionTimestamp === undefined) {
    return false;
  }
  if (endpoint.hub.strategy.holdsDeletion?.(object) === true) return false;
  return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

function uidConflict(
  endpoint: Endpoint,
  call: Call,
  uid: { wanted: string; found: string },
): Error {
  const key = endpoint.storage.keyOf(call.namespace, call.name);
  return conflict(
    qualifiedOf(endpoint),
    call.name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ` +
      `Precondition failed: UID in precondition: ${uid.wanted}, UID in object meta: ${uid.found}`,
  );
}

function shallowCopy(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata } };
}

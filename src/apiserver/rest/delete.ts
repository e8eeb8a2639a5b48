import { rfc3339 } from "#base/clock.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { FieldError } from "#apimachinery/field-error.ts";
import { invalid, notSupported } from "#apimachinery/field-error.ts";
import type { KubeObject, ObjectMeta } from "#apimachinery/object.ts";
import {
  conflict,
  forbiddenStatus,
  invalidStatus,
  isNotFound,
  notFound,
  type Status,
} from "#apimachinery/status.ts";
import type { DeleteOptions } from "#apimachinery/meta/options.ts";
import type { Admission } from "../admission/admission.ts";
import { type Call, type Endpoint, isDryRun } from "../call.ts";
import type { Entry } from "../storage/entry.ts";
import type { Stored } from "../storage/storage.ts";
import { hooksOf, type RestDeps } from "./rest.ts";

/** The outcome of a delete: the object that stays or went, or a Status for most kinds. */
export type Deleted =
  | { readonly kind: "entry"; readonly entry: Entry; readonly gone: boolean }
  | { readonly kind: "status"; readonly status: Status };

export interface Deletion {
  readonly deps: RestDeps;
  readonly options: DeleteOptions;
  /** The request passed admission as something else (an eviction). */
  readonly admitted?: boolean;
}

/** DELETE of one object. */
export async function remove(endpoint: Endpoint, call: Call, deletion: Deletion): Promise<Deleted> {
  refuseBadOptions(deletion.options);
  const { propagationPolicy: policy, orphanDependents } = deletion.options;
  const { warningWithoutPolicy: warning } = endpoint.hub.strategy;
  if (warning !== undefined && (policy ?? orphanDependents) === undefined) call.warn(warning);
  const key = endpoint.storage.keyOf(call.namespace, call.name);
  for (;;) {
    const current = await endpoint.storage.find(key);
    if (current === undefined) throw notFound(qualified(endpoint), call.name);
    const why = call.verb === "delete" ? endpoint.hub.strategy.refuseDelete?.(current.entry.object) : undefined;
    if (why !== undefined) throw forbiddenStatus(qualified(endpoint), call.name, why);
    const outcome = await removeOnce(endpoint, call, { ...deletion, key, current });
    if (outcome !== undefined) return outcome;
  }
}

interface Attempt extends Deletion {
  readonly key: string;
  readonly current: Stored;
}

async function removeOnce(endpoint: Endpoint, call: Call, attempt: Attempt): Promise<Deleted | undefined> {
  const { current, deps, options } = attempt;
  const old = current.entry.object;
  checkPreconditions(endpoint, old, options);
  if (attempt.admitted !== true) await admit(endpoint, call, { admission: deps.admission, old });
  const plan = planDeletion(endpoint, old, { options, nowMs: call.nowMs });
  if (plan.do === "already") return { kind: "entry", entry: current.entry, gone: false };
  if (plan.do === "mark") {
    const outcome = await endpoint.storage.updateFrom(attempt.key, current, {
      dryRun: isDryRun(call),
      decision: { do: "write", value: await endpoint.storage.encode(plan.object) },
    });
    return outcome && { kind: "entry", entry: outcome.entry, gone: false };
  }
  return plan.object === undefined
    ? take(endpoint, call, attempt)
    : takeMarked(endpoint, call, { attempt, object: plan.object });
}

/** Removes the state that was read. */
async function take(endpoint: Endpoint, call: Call, { key, current, deps }: Attempt): Promise<Deleted | undefined> {
  const entry = await endpoint.storage.remove(key, current, isDryRun(call));
  if (entry === undefined) return undefined;
  if (!isDryRun(call)) await hooksOf(deps, endpoint.hub).afterDelete?.(entry.object, call);
  return answer(endpoint, entry, true);
}

/** Kinds with a grace period show their end to watchers before they go. */
async function takeMarked(
  endpoint: Endpoint,
  call: Call,
  { attempt, object }: { readonly attempt: Attempt; readonly object: KubeObject },
): Promise<Deleted | undefined> {
  const { storage } = endpoint;
  const decision = { do: "write", value: await storage.encode(object) } as const;
  const marked = await storage.updateFrom(attempt.key, attempt.current, { dryRun: isDryRun(call), decision });
  if (marked === undefined) return undefined;
  if (isDryRun(call)) return answer(endpoint, marked.entry, true);
  for (let current: Stored | undefined; ; ) {
    current = await storage.find(attempt.key);
    // Somebody else took it: what was asked for has happened.
    if (current === undefined) return answer(endpoint, marked.entry, true);
    const taken = await take(endpoint, call, { ...attempt, current });
    if (taken !== undefined) return taken;
  }
}

interface Admitted {
  readonly admission: Admission;
  readonly old: KubeObject;
}

/** Objects of a deletecollection are nameless to admission, as upstream. */
async function admit(endpoint: Endpoint, call: Call, { admission, old }: Admitted): Promise<void> {
  const request = {
    operation: "DELETE",
    call,
    endpoint,
    definition: endpoint.hub,
    name: call.verb === "deletecollection" ? "" : call.name,
    oldObject: old,
  } as const;
  await admission.mutate(request);
  await admission.validate(request);
}

function answer(endpoint: Endpoint, entry: Entry, gone: boolean): Deleted {
  if (endpoint.hub.strategy.deleteReturnsObject !== undefined) return { kind: "entry", entry, gone };
  const { metadata } = entry.object;
  const { group, plural } = endpoint.definition;
  return {
    kind: "status",
    status: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: {
        name: metadata?.name,
        ...(group !== "" && { group }),
        kind: plural,
        uid: metadata?.uid,
      },
    },
  };
}

export type DeletionPlan =
  /** `object`: the state to show before. */
  | { readonly do: "remove"; readonly object?: KubeObject }
  /** Deletion is under way and this request changes nothing. */
  | { readonly do: "already" }
  | { readonly do: "mark"; readonly object: KubeObject };

/**
 * What a delete does to an object now: remove it, mark it (grace period, finalizers), or nothing.
 * Pure. Source: apiserver/pkg/registry/rest/delete.go BeforeDelete.
 */
export function planDeletion(
  { hub }: Pick<Endpoint, "hub">,
  old: KubeObject,
  { options, nowMs }: { options: DeleteOptions; nowMs: number },
): DeletionPlan {
  const begun = hub.strategy.beginDeletion;
  if (begun !== undefined && old.metadata?.deletionTimestamp === undefined) {
    return { do: "mark", object: begun(old, nowMs) };
  }
  if (begun !== undefined && hub.strategy.holdsDeletion?.(old) === true) return { do: "already" };
  const meta: ObjectMeta = { ...old.metadata };
  const finalizers = finalizersFor(hub.strategy.defaultGarbageCollection, meta, options);
  const grace = planGrace(hub.strategy.gracePeriodSeconds, old, { options, nowMs });
  const held = finalizers.length > 0 || hub.strategy.holdsDeletion?.(old) === true;
  if (grace === "pending") {
    return { do: "already" };
  }
  if (grace !== undefined) {
    Object.assign(meta, grace);
    if (finalizers.length > 0 || meta.finalizers !== undefined) meta.finalizers = finalizers;
    const object = { ...old, metadata: meta };
    return { do: grace.deletionGracePeriodSeconds === 0 && !held ? "remove" : "mark", object };
  }
  if (!held) return { do: "remove" };
  if (!meta.deletionTimestamp && (meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1;
  const due = meta.deletionTimestamp ? Date.parse(meta.deletionTimestamp) : Infinity;
  if (due > nowMs) meta.deletionTimestamp = rfc3339(nowMs);
  meta.deletionGracePeriodSeconds = 0;
  meta.finalizers = finalizers;
  const object = { ...old, metadata: meta };
  return deepEqual(object, old) ? { do: "already" } : { do: "mark", object };
}

type Grace = Pick<ObjectMeta, "deletionTimestamp" | "deletionGracePeriodSeconds" | "generation">;

/** Undefined: no graceful deletion (any more). `pending`: under way, not shortened. */
function planGrace(
  gracePeriod: ((object: KubeObject, asked: number | undefined) => number | undefined) | undefined,
  old: KubeObject,
  { options, nowMs }: { options: DeleteOptions; nowMs: number },
): Grace | "pending" | undefined {
  if (gracePeriod === undefined) return undefined;
  const asked = options.gracePeriodSeconds;
  const wanted = asked !== undefined && asked < 0 ? 1 : asked;
  const { metadata: meta = {} } = old;
  if (meta.deletionTimestamp !== undefined) {
    const current = Math.max(meta.deletionGracePeriodSeconds ?? 0, 0);
    if (current === 0) return undefined;
    if (wanted === undefined || wanted >= current) return "pending";
    const shortened = Date.parse(meta.deletionTimestamp) - (current - wanted) * 1000;
    const due = Math.max(shortened, nowMs);
    const period = shortened < nowMs && wanted !== 0 ? 1 : wanted;
    return { deletionTimestamp: rfc3339(due), deletionGracePeriodSeconds: period };
  }
  const period = gracePeriod(old, wanted);
  if (period === undefined) return undefined;
  return {
    deletionTimestamp: rfc3339(nowMs + period * 1000),
    deletionGracePeriodSeconds: period,
    ...((meta.generation ?? 0) > 0 && { generation: (meta.generation ?? 0) + 1 }),
  };
}

const orphan = "orphan";
const foreground = "foregroundDeletion";

/** Finalizers after the propagation policy was written into them. */
function finalizersFor(
  standard: "Background" | "Orphan" | undefined,
  meta: ObjectMeta,
  options: DeleteOptions,
): string[] {
  const present = meta.finalizers ?? [];
  const rest = present.filter((finalizer) => finalizer !== orphan && finalizer !== foreground);
  const policy = policyOf(standard, present, options);
  if (policy === "Orphan") rest.push(orphan);
  if (policy === "Foreground") rest.push(foreground);
  const isSame = rest.length === present.length && rest.every((finalizer) => present.includes(finalizer));
  return isSame ? [...present] : rest;
}

function policyOf(
  standard: "Background" | "Orphan" | undefined,
  present: readonly string[],
  options: DeleteOptions,
): string {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? "Orphan" : "Background";
  if (options.propagationPolicy !== undefined) return options.propagationPolicy;
  if (present.includes(orphan)) return "Orphan";
  if (present.includes(foreground)) return "Foreground";
  return standard ?? "Background";
}

/** Errors: Conflict, when the object is not the one that was meant. */
export function checkPreconditions(endpoint: Endpoint, old: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { metadata: meta = {} } = old;
  const of = { group: endpoint.definition.group, resource: endpoint.definition.kind };
  if (uid !== undefined && uid !== meta.uid) {
    throw conflict(
      of,
      meta.name ?? "",
      `the UID in the precondition (${uid}) does not match the UID in record (${meta.uid ?? ""}). ` +
        "The object might have been deleted and then recreated",
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== meta.resourceVersion) {
    throw conflict(
      of,
      meta.name ?? "",
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ` +
        `ResourceVersion in record (${meta.resourceVersion ?? ""}). The object might have been modified`,
    );
  }
}

export function refuseBadOptions(options: DeleteOptions): void {
  const errors: FieldError[] = [];
  const { propagationPolicy: policy, orphanDependents } = options;
  if (orphanDependents !== undefined && policy !== undefined) {
    const detail = "orphanDependents and deletionPropagation cannot be both set";
    errors.push(invalid("propagationPolicy", policy, detail));
  }
  if (policy !== undefined && !policies.includes(policy)) {
    errors.push(notSupported("propagationPolicy", policy, [...policies, "nil"]));
  }
  const dryRun = options.dryRun ?? [];
  if (dryRun.some((value) => value !== "All")) errors.push(notSupported("dryRun", dryRun, ["All"]));
  if (errors.length > 0) {
    throw invalidStatus({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  }
}

const policies = ["Foreground", "Background", "Orphan"];

function qualified({ definition }: Endpoint): { group: string; resource: string } {
  return { group: definition.group, resource: definition.plural };
}

/** Deletes each of `entries`; those that went meanwhile are fine. */
export async function removeEach(
  endpoint: Endpoint,
  call: Call,
  spec: Deletion & { readonly entries: readonly Entry[] },
): Promise<void> {
  for (const entry of spec.entries) {
    const { namespace = "", name = "" } = entry.object.metadata ?? {};
    try {
      await remove(endpoint, { ...call, namespace, name }, spec);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

import { rfc3339 } from "#base/clock.ts";
import { type Random, randomSuffix } from "#base/random.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "#apimachinery/object.ts";
import { badRequest } from "#apimachinery/status.ts";
import type { Call } from "../call.ts";

/** Longest base of a generated name, so that name and suffix fit a label. */
const generatedBaseMax = 58;
const suffixLength = 5;

/** The object's metadata, made when absent. The object is the request's own. */
export function metaOf(object: KubeObject): ObjectMeta {
  object.metadata ??= {};
  return object.metadata;
}

/** Upstream clears the old self links on every write. */
export function dropSelfLink(meta: ObjectMeta): void {
  delete meta.selfLink;
}

/** Clears what only the server sets, before a create is looked at. */
export function wipeSystemFields(meta: ObjectMeta): void {
  delete meta.uid;
  delete meta.creationTimestamp;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
}

/** Sets uid, creation time and, when asked for, a generated name. */
export function fillSystemFields(meta: ObjectMeta, nowMs: number, random: Random): void {
  meta.creationTimestamp = rfc3339(nowMs);
  meta.uid = random.uuid();
  if (!meta.name && meta.generateName) {
    meta.name = meta.generateName.slice(0, generatedBaseMax) + randomSuffix(random, suffixLength);
  }
}

/**
 * Makes the object's namespace the URL's: filled in when absent, cleared for cluster scope.
 * Errors: BadRequest when both name one and they differ.
 */
export function ensureNamespace(call: Call, meta: ObjectMeta): void {
  const expected = call.definition.scope === "Namespaced" ? call.namespace : "";
  const own = meta.namespace ?? "";
  if (own === expected) return;
  if (expected === "") delete meta.namespace;
  else if (own === "") meta.namespace = expected;
  else {
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
}

const duplicateOwners =
  "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; " +
  "please fix your requests; duplicate UID(s) observed:";

/** Drops owner references that stand twice, with a warning. */
export function dedupOwners(call: Call, meta: ObjectMeta, afterAdmission: boolean): void {
  const owners = meta.ownerReferences;
  if (owners === undefined || owners.length < 2) return;
  const kept: OwnerReference[] = [];
  const duplicates: string[] = [];
  for (const owner of owners) {
    if (kept.some((other) => other.uid === owner.uid && deepEqual(other, owner))) {
      duplicates.push(owner.uid);
    } else kept.push(owner);
  }
  if (duplicates.length === 0) return;
  const when = afterAdmission ? " after mutating admission happens" : "";
  call.warn(
    `.metadata.ownerReferences contains duplicate entries${when}; ${duplicateOwners} ${duplicates.join(", ")}`,
  );
  meta.ownerReferences = kept;
}

/** The name of the body must be the URL's. */
export function ensureName(call: Call, meta: ObjectMeta): void {
  const own = meta.name ?? "";
  if (own === call.name) return;
  throw badRequest(
    own === ""
      ? `the name of the object (${call.name} based on URL) was undeterminable: name must be provided`
      : `the name of the object (${own}) does not match the name on the URL (${call.name})`,
  );
}

/** Who a write is booked to: the option, else the part of the agent before its first `/`. */
export function managerOf(call: Call): string {
  if (call.options.fieldManager) return call.options.fieldManager;
  const slash = call.userAgent.indexOf("/");
  const agent = slash < 0 ? call.userAgent : call.userAgent.slice(0, slash);
  const printable = [...agent].filter((char) => !/[\p{C}]/u.test(char)).join("");
  return printable.slice(0, 128) || "unknown";
}

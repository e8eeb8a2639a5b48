/**
 * Removal of an object that cannot be read, `ignoreStoreReadErrorWithClusterBreakingPotential`: without
 * preconditions, finalizers, admission and hooks. Feature gate AllowUnsafeMalformedObjectDeletion.
 * Source: apiserver/pkg/endpoints/handlers/delete.go, registry/generic/registry/corrupt_obj_deleter.go.
 */
import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import type { DeleteOptions } from "#apimachinery/meta/options.ts";
import { failure, forbiddenStatus, invalidStatus, notFound, type Status, type StatusCause, StatusError } from "#apimachinery/status.ts";
import type { Key } from "#store/store.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Call, Endpoint } from "../call.ts";
import { TransformError } from "../encryption/encrypted-store.ts";

const gate = "AllowUnsafeMalformedObjectDeletion";
const option = "ignoreStoreReadErrorWithClusterBreakingPotential";
const verb = "unsafe-delete-ignore-read-errors";

/** Unreadable objects that a failed list names. Source: etcd3/store.go. */
const namedMax = 100;
const corruptCode = 7;

/**
 * What a list fails with that met an unreadable object: where the gate is open all of them are named.
 * Source: apiserver/pkg/storage/etcd3/corrupt_obj_deleter.go.
 */
export async function listFailure(endpoint: Endpoint, { features }: Call, { error, prefix }: FailedList): Promise<unknown> {
  const isUnreadable = error instanceof StatusError && error.cause instanceof TransformError;
  if (!features.enabled(gate) || !isUnreadable) return error;
  const { storage, definition } = endpoint;
  const { entries } = await storage.store.range({ ...storage.rangeOf(prefix), keysOnly: true });
  const causes: StatusCause[] = [];
  for (const { key } of entries) {
    const problem = await storage.problemOf(key);
    if (problem === undefined) continue;
    if (causes.length === namedMax) {
      causes.push({ reason: "FieldValueTooMany", message: "too many errors, the list is truncated" });
      break;
    }
    const field = Buffer.from(key, "latin1").toString("utf8");
    const message = `StorageError: corrupt object, Code: ${corruptCode}, Key: ${field}, ResourceVersion: 0, AdditionalErrorMsg: ${problem}`;
    causes.push({ reason: "UnexpectedServerResponse", message, field });
  }
  const { group, plural } = definition;
  const details = { name: "list", ...(group !== "" && { group }), kind: plural, causes };
  const message = `failed to read one or more ${group === "" ? plural : `${plural}.${group}`} from the storage`;
  return failure("StorageReadError", { message, details });
}

interface FailedList {
  readonly error: unknown;
  /** Of the keys that were listed. */
  readonly prefix: Key;
}

/** Whether a delete is to go on where the object cannot be read. Errors: Invalid, beside other options. */
export function isUnsafeDelete({ features, verb: asked }: Call, options: DeleteOptions): boolean {
  if (!features.enabled(gate) || options[option] !== true) return false;
  const errors = (["dryRun", "propagationPolicy", "orphanDependents", "gracePeriodSeconds", "preconditions"] as const).flatMap(
    (other): FieldError[] => {
      const value = options[other];
      const isSet = Array.isArray(value) ? value.length > 0 : value !== undefined;
      return isSet ? [invalid(option, true, `cannot be set together with .${other}`)] : [];
    },
  );
  if (errors.length === 0 && asked === "deletecollection") {
    errors.push(invalid(option, true, "is not allowed with DELETECOLLECTION, try again after removing the option"));
  }
  if (errors.length > 0) throw invalidStatus({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  return true;
}

/** Errors: Forbidden without the right verb, Invalid when the object can be read, NotFound. */
export async function removeUnreadable(endpoint: Endpoint, call: Call, authorizer: Authorizer): Promise<Status> {
  const { storage, definition } = endpoint;
  const { group, version, plural: resource } = definition;
  const { user, namespace, name } = call;
  call.annotate?.("apiserver.k8s.io/unsafe-delete-ignore-read-error", "");
  const attributes = { user, verb, namespace, name, group, version, resource, subresource: "", isResource: true, path: "" };
  const { verdict, reason } = await authorizer.authorize(attributes);
  if (verdict !== "allow") {
    const why = `not permitted to do "${verb}", reason: ${reason}`;
    throw forbiddenStatus({ group, resource }, name, why);
  }
  const key = storage.keyOf(namespace, name);
  if (await storage.isReadable(key)) {
    const detail = "is exclusively used to delete corrupt object(s), try again by removing this option";
    throw invalidStatus({ group, kind: resource }, name, [invalid(option, true, detail)]);
  }
  if (!(await storage.removeUnread(key))) throw notFound({ group, resource }, name);
  const details = { name, ...(group !== "" && { group }), kind: resource };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

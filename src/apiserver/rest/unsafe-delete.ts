/**
 * Removal of an object that cannot be read, `ignoreStoreReadErrorWithClusterBreakingPotential`: without
 * preconditions, finalizers, admission and hooks. Feature gate AllowUnsafeMalformedObjectDeletion.
 * Source: apiserver/pkg/endpoints/handlers/delete.go, registry/generic/registry/corrupt_obj_deleter.go.
 */
import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import type { DeleteOptions } from "#apimachinery/meta/options.ts";
import { forbiddenStatus, invalidStatus, notFound, type Status } from "#apimachinery/status.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Call, Endpoint } from "../call.ts";

const gate = "AllowUnsafeMalformedObjectDeletion";
const option = "ignoreStoreReadErrorWithClusterBreakingPotential";
const verb = "unsafe-delete-ignore-read-errors";

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

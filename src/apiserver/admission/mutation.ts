import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { internal } from "#apimachinery/status.ts";
import { applyDefaults, toHub } from "../rest/rest.ts";
import { codecOf } from "../storage/codec.ts";
import type { AdmissionRequest } from "./request.ts";

/**
 * The object of a request from JSON that somebody outside changed, in the version of `definition`:
 * decoded, pruned, defaulted, converted to the storage version. Errors: InternalError.
 */
export function withWireObject(
  request: AdmissionRequest,
  value: unknown,
  definition: ResourceDefinition,
): KubeObject {
  if (request.kind !== undefined) return value as KubeObject;
  let decoded: KubeObject;
  try {
    decoded = codecOf(definition).decode(value, false).object;
  } catch (error) {
    throw internal((error as Error).message, error);
  }
  applyDefaults(definition, decoded);
  const object = toHub({ ...request.endpoint, definition }, decoded);
  const { kind, apiVersion } = request.object ?? {};
  return { ...object, ...(kind && { kind }), ...(apiVersion && { apiVersion }) };
}

import {
  applyJsonPatch,
  JsonPatchError,
  type JsonPatchOperation,
} from "#apimachinery/json-patch.ts";
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

/**
 * Applies a JSON patch of a webhook or policy. Errors: `JsonPatchError`, worded as json-patch does:
 * `remove operation does not apply: doc is missing path: "/a": missing value`.
 */
export function patchedValue(
  document: unknown,
  operations: readonly JsonPatchOperation[],
): unknown {
  let value = document;
  for (const operation of operations) {
    try {
      value = applyJsonPatch(value, [operation]);
    } catch (error) {
      if (!(error instanceof JsonPatchError)) throw error;
      throw new JsonPatchError(wordedFailure(operation, error.message));
    }
  }
  return value;
}

function wordedFailure({ op }: JsonPatchOperation, message: string): string {
  const missing = /^operation does not apply: doc is missing path: (.*)$/.exec(message)?.[1];
  if (missing === undefined) return message;
  const path = op === "replace" ? missing : JSON.stringify(missing);
  return `${op} operation does not apply: doc is missing path: ${path}: missing value`;
}

import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { codecOf } from "../storage/codec.ts";
import { type AdmissionRequest, versionOf } from "./request.ts";

/**
 * A custom resource in another version: renamed, or by its conversion webhook. Built-in kinds stay
 * in their storage version, from which `wireObject` converts.
 */
export async function customInVersion(
  object: KubeObject,
  from: ResourceDefinition,
  to: ResourceDefinition,
): Promise<KubeObject> {
  if (from === to || to.custom === undefined) return object;
  const { converter } = codecOf(to);
  if (converter === undefined) return from.custom?.convert?.(object, versionOf(to)) ?? object;
  const [converted] = await converter.fromStored([object]);
  return converted ?? object;
}

/** The request as a webhook or policy sees it that asked for another version of the resource. */
export async function inVersion(
  request: AdmissionRequest,
  definition: ResourceDefinition,
): Promise<AdmissionRequest> {
  const from = request.call.definition;
  if (definition === from || definition.custom === undefined || request.kind !== undefined) {
    return request;
  }
  const { object, oldObject } = request;
  return {
    ...request,
    ...(object && { object: await customInVersion(object, from, definition) }),
    ...(oldObject && { oldObject: await customInVersion(oldObject, from, definition) }),
  };
}

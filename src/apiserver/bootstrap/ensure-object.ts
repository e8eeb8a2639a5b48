import { deepEqual } from "#apimachinery/deep-equal.ts";
import { type KubeObject, keyOfObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { ignoreNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";

/**
 * Makes an object of the API server's own, or brings its fields, save metadata, up to date.
 * Errors: Conflict and AlreadyExists when another server was faster.
 */
export async function ensureObject(
  client: Client,
  definition: ResourceDefinition,
  wanted: KubeObject & Record<string, unknown>,
): Promise<void> {
  const resource = client.resource(definition);
  const found = await ignoreNotFound(resource.get(keyOfObject(wanted)));
  if (found === undefined) {
    await resource.create(wanted);
    return;
  }
  const updated = { ...found, ...wanted, metadata: found.metadata ?? {} };
  if (!deepEqual(updated, found)) await resource.update(updated);
}

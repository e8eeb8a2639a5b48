import type { KubeObject } from "#apimachinery/object.ts";
import { isAlreadyExists, plainError, StatusError } from "#apimachinery/status.ts";
import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import { type Call, type Endpoint, isDryRun } from "../call.ts";
import type { Entry } from "../storage/entry.ts";
import { decodeBody, expectedOf } from "./decode.ts";
import { trackUpdate } from "./managed-fields.ts";
import {
  dedupOwners,
  ensureNamespace,
  fillSystemFields,
  metaOf,
  wipeSystemFields,
} from "./metadata.ts";
import {
  applyDefaults,
  hooksOf,
  refuseInvalid,
  type RestDeps,
  strategyContext,
  toHub,
  type Written,
} from "./rest.ts";

/** Tries of `generateName` before the conflict is the client's. */
const generateNameTriesMax = 8;

/** POST of a collection. */
export async function create(endpoint: Endpoint, call: Call, deps: RestDeps): Promise<Written> {
  const decoded = decodeBody(call, expectedOf(endpoint.definition), deps.kinds);
  applyDefaults(endpoint.definition, decoded);
  call.trail?.request(decoded);
  const meta = metaOf(decoded);
  wipeSystemFields(meta);
  ensureNamespace(call, meta);
  dedupOwners(call, meta, false);
  const tracked = trackUpdate({ endpoint, call, updated: decoded });
  const object = await admit(endpoint, call, { deps, object: toHub(endpoint, tracked) });
  return { entry: await createWithRetries(endpoint, call, { deps, object }), created: true };
}

interface Creation {
  readonly deps: RestDeps;
  readonly object: KubeObject;
}

async function admit(endpoint: Endpoint, call: Call, { deps, object }: Creation): Promise<KubeObject> {
  const admitted = await deps.admission.mutate({
    operation: "CREATE",
    call,
    endpoint,
    definition: endpoint.hub,
    name: object.metadata?.name ?? "",
    object,
  });
  const result = admitted ?? object;
  dedupOwners(call, metaOf(result), true);
  return result;
}

async function createWithRetries(endpoint: Endpoint, call: Call, creation: Creation): Promise<Entry> {
  const { object } = creation;
  const generated = !object.metadata?.name && Boolean(object.metadata?.generateName);
  for (let tries = 1; ; tries++) {
    try {
      return await createOnce(endpoint, call, { ...creation, object: structuredCopy(object) });
    } catch (error) {
      if (!generated || !isAlreadyExists(error)) throw error;
      if (tries === generateNameTriesMax) throw generateNameConflict(error as StatusError);
    }
  }
}

/** Hooks change the object; a second try must start from what admission answered. */
function structuredCopy(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata } };
}

function generateNameConflict(error: StatusError): StatusError {
  const { details } = error.status;
  return new StatusError({
    ...error.status,
    message:
      `${details?.kind ?? ""}${details?.group ? `.${details.group}` : ""} ${JSON.stringify(details?.name ?? "")} ` +
      "already exists, the server was not able to generate a unique name for the object",
    details: { ...details, retryAfterSeconds: 1 },
  });
}

async function createOnce(endpoint: Endpoint, call: Call, creation: Creation): Promise<Entry> {
  const { object, deps } = creation;
  fillSystemFields(metaOf(object), call.nowMs, deps.random);
  return createFilled(endpoint, call, creation);
}

/**
 * The part of a create that a PUT of an absent name shares: hooks, validation, admission's second
 * half, the write. `object` has its system fields.
 */
export async function createFilled(
  endpoint: Endpoint,
  call: Call,
  { object, deps }: Creation,
): Promise<Entry> {
  const hooks = hooksOf(deps, endpoint.hub);
  const finish = await hooks.beginCreate?.(object, call);
  let succeeded = false;
  try {
    prepare(endpoint, call, object);
    const name = object.metadata?.name ?? "";
    await deps.admission.validate({ operation: "CREATE", call, endpoint, definition: endpoint.hub, name, object });
    refuseResourceVersion(object);
    const key = endpoint.storage.keyOf(object.metadata?.namespace ?? "", name);
    const ttlSeconds = hooks.ttlSeconds?.(object);
    const entry = await writeNew(endpoint, key, {
      object,
      dryRun: isDryRun(call),
      ...(ttlSeconds !== undefined && { ttlSeconds }),
    });
    succeeded = !isDryRun(call);
    return entry;
  } finally {
    await finish?.(succeeded);
  }
}

function prepare(endpoint: Endpoint, call: Call, object: KubeObject): void {
  const { strategy, scope } = endpoint.hub;
  const context = strategyContext(call);
  ensureNamespace(call, metaOf(object));
  strategy.prepareForCreate?.(object, context);
  for (const text of strategy.preparationWarnings?.(object) ?? []) call.warn(text);
  if (strategy.generation) metaOf(object).generation = 1;
  refuseInvalid(call, object, [
    ...validateObjectMeta(metaOf(object), {
      namespaced: scope === "Namespaced",
      nameRule: strategy.nameRule,
      plainFinalizers: endpoint.hub.strategy.plainFinalizers === true,
    }),
    ...(strategy.validate?.(object, context) ?? []),
  ]);
  for (const text of strategy.warnings?.(object, context) ?? []) call.warn(text);
  strategy.canonicalize?.(object);
}

function refuseResourceVersion(object: KubeObject): void {
  const version = object.metadata?.resourceVersion ?? "";
  if (/^\d+$/.test(version) && version !== "0") {
    throw plainError("resourceVersion should not be set on objects to be created");
  }
}

async function writeNew(
  endpoint: Endpoint,
  key: string,
  spec: { object: KubeObject; dryRun: boolean; ttlSeconds?: number },
): Promise<Entry> {
  const { object, ...options } = spec;
  try {
    return await endpoint.storage.create(key, object, options);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const existing = await endpoint.storage.find(key);
    if (existing?.entry.object.metadata?.deletionTimestamp === undefined) throw error;
    const { status } = error as StatusError;
    throw new StatusError({ ...status, message: `object is being deleted: ${status.message}` });
  }
}

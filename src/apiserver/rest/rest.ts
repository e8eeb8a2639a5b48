import type { Random } from "#base/random.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { apiVersionOf } from "#apimachinery/object.ts";
import type { FieldError } from "#apimachinery/field-error.ts";
import type { ResourceDefinition, StrategyContext, UpdateContext } from "#apimachinery/resource.ts";
import { invalidStatus } from "#apimachinery/status.ts";
import type { Admission } from "../admission/admission.ts";
import type { Call, Endpoint } from "../call.ts";
import type { Entry } from "../storage/entry.ts";
import { codecOf } from "../storage/codec.ts";
import type { KindLookup } from "./decode.ts";

/** What the generic verbs need beside the endpoint. */
export interface RestDeps {
  readonly admission: Admission;
  readonly kinds: KindLookup;
  readonly random: Random;
  /** Allocations and other work around writes, by `group/plural` (Service IPs, node ports). */
  readonly hooks: ReadonlyMap<string, WriteHooks>;
}

/** Work that surrounds a write of a kind. A returned function runs after the write, or its failure. */
export interface WriteHooks {
  beginCreate?(object: KubeObject, call: Call): Promise<WriteFinisher | undefined>;
  beginUpdate?(object: KubeObject, old: KubeObject, call: Call): Promise<WriteFinisher | undefined>;
  afterDelete?(object: KubeObject, call: Call): Promise<void>;
  /** Time to live of the stored object, seconds (Events). */
  ttlSeconds?(object: KubeObject): number;
}

export type WriteFinisher = (succeeded: boolean) => Promise<void> | void;

export interface Written {
  readonly entry: Entry;
  readonly created: boolean;
}

export function hooksOf(deps: RestDeps, definition: ResourceDefinition): WriteHooks {
  return deps.hooks.get(`${definition.group}/${definition.plural}`) ?? {};
}

export function strategyContext(call: Call): StrategyContext {
  return {
    namespace: call.namespace,
    userName: call.user.name,
    user: call.user,
    nowMs: call.nowMs,
    features: call.features,
    allowPrivileged: call.allowPrivileged,
    subresource: call.subresource,
  };
}

export function updateContext(call: Call, old: KubeObject): UpdateContext<KubeObject> {
  return { ...strategyContext(call), old };
}

/** Constants of the schema, then what depends on other fields. Changes `object`. */
export function applyDefaults(definition: ResourceDefinition, object: KubeObject): void {
  codecOf(definition).applyDefaults(object);
  definition.strategy.default?.(object);
}

/** From the version of the request to the one that is stored and that hooks see. */
export function toHub(endpoint: Pick<Endpoint, "definition" | "hub">, object: KubeObject): KubeObject {
  const { definition, hub } = endpoint;
  if (definition === hub || definition.conversion === undefined) return object;
  const converted = definition.conversion.toStorage(object);
  return { ...converted, kind: hub.kind, apiVersion: apiVersionOf(hub.group, hub.version) };
}

/** From the stored version to the request's. */
export function fromHub(endpoint: Pick<Endpoint, "definition" | "hub">, object: KubeObject): KubeObject {
  const { definition, hub } = endpoint;
  if (definition === hub || definition.conversion === undefined) return object;
  const converted = definition.conversion.fromStorage(object);
  return {
    ...converted,
    kind: definition.kind,
    apiVersion: apiVersionOf(definition.group, definition.version),
  };
}

/** Errors: Invalid, when there are any findings. */
export function refuseInvalid(
  call: Call,
  { kind: own, metadata }: KubeObject,
  errors: readonly FieldError[],
): void {
  if (errors.length === 0) return;
  const { group, kind, custom } = call.definition;
  const shown = custom === undefined ? kind : (own ?? kind);
  throw invalidStatus({ group, kind: shown }, call.name || (metadata?.name ?? ""), errors);
}

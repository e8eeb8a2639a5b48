import { decodeManagers, ManagedFieldsError } from "#apimachinery/apply/managers.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { AdmissionRequest, Passes } from "./request.ts";

export type { AdmissionRequest, Operation } from "./request.ts";

/**
 * One plugin of the chain, a frozen value on one line of `plugins.ts`. Errors: a `StatusError`,
 * usually from `forbid`.
 */
export interface AdmissionPlugin {
  readonly name: string;
  readonly enabledByDefault: boolean;
  /** Quick filter; absent means every request. */
  readonly handles?: (request: AdmissionRequest) => boolean;
  readonly mutate?: (
    request: AdmissionRequest,
  ) => KubeObject | undefined | Promise<KubeObject | undefined>;
  readonly validate?: (request: AdmissionRequest) => void | Promise<void>;
}

export interface Admission {
  /** Runs the mutators in order, twice if one asks for it, and returns the object they agree on. */
  mutate(request: AdmissionRequest): Promise<KubeObject | undefined>;
  /** Runs the validators in order; the first refusal wins. */
  validate(request: AdmissionRequest): Promise<void>;
}

/** Chains plugins; those without the phase are left out once, not at each request. */
export function createAdmission(plugins: readonly AdmissionPlugin[]): Admission {
  const mutators = plugins.filter((plugin) => plugin.mutate !== undefined);
  const validators = plugins.filter((plugin) => plugin.validate !== undefined);

  async function pass(request: AdmissionRequest, passes: Passes): Promise<KubeObject | undefined> {
    let { object } = request;
    for (const plugin of mutators) {
      const current =
        object === undefined ? { ...request, passes } : { ...request, object, passes };
      if (plugin.handles?.(current) === false) continue;
      object = (await plugin.mutate?.(current)) ?? object;
    }
    return object;
  }

  return {
    async mutate(request) {
      const passes: Passes = { again: false, wanted: false, memory: new Map() };
      let object = await pass(request, passes);
      if (passes.wanted) {
        passes.again = true;
        object = await pass(object === undefined ? request : { ...request, object }, passes);
      }
      return object && withValidManagers(request, object);
    },
    async validate(request) {
      for (const plugin of validators) {
        if (plugin.handles?.(request) !== false) await plugin.validate?.(request);
      }
    },
  };
}

/**
 * Mutators that garble managed fields, mostly webhooks that know them not, have them put back.
 * Source: apiserver/pkg/endpoints/handlers/fieldmanager/admission.go.
 */
function withValidManagers(
  { call, object: before }: AdmissionRequest,
  object: KubeObject,
): KubeObject {
  const managedFields = before?.metadata?.managedFields;
  const now = object.metadata?.managedFields;
  if (object === before || now === undefined || deepEqual(now, managedFields)) return object;
  try {
    decodeManagers(now);
    return object;
  } catch (error) {
    if (!(error instanceof ManagedFieldsError)) throw error;
    call.warn(
      ".metadata.managedFields was in an invalid state after admission; this could be caused by an " +
        "outdated mutating admission controller; please fix your requests: " +
        error.message,
    );
    return { ...object, metadata: { ...object.metadata, managedFields } };
  }
}

import { decodeManagers, ManagedFieldsError } from "#apimachinery/apply/managers.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Clock } from "#base/clock.ts";
import type { AdmissionMeters, AdmissionPhase, Outcomes } from "../metrics/admission-meters.ts";
import type { AdmissionRequest, Passes } from "./request.ts";

export type { AdmissionRequest, Operation } from "./request.ts";

/**
 * One plugin of the chain, a frozen value on one line of `plugins.ts`. Errors: a `StatusError`,
 * usually from `forbid`.
 */
export interface AdmissionPlugin {
  readonly name: string;
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

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly meters: AdmissionMeters;
}

/** Chains plugins; those without the phase are left out once, not at each request. */
export function createAdmission(plugins: readonly AdmissionPlugin[], { clock, meters }: AdmissionOptions): Admission {
  const withMeters = (phase: AdmissionPhase) => (plugin: AdmissionPlugin) => ({
    plugin,
    outcomesOf: meters.ofPlugin(plugin.name, phase),
  });
  const mutators = plugins.filter((plugin) => plugin.mutate !== undefined).map(withMeters("admit"));
  const validators = plugins.filter((plugin) => plugin.validate !== undefined).map(withMeters("validate"));
  const steps = { admit: meters.ofStep("admit"), validate: meters.ofStep("validate") };

  /** Most plugins decide at once: only those that wait cost a promise. */
  function timed<T>(outcomes: Outcomes, run: () => T | Promise<T>): T | Promise<T> {
    const startedMs = clock.monotonicMs();
    const refuse = (error: unknown): never => {
      outcomes.refused.observe((clock.monotonicMs() - startedMs) / 1000);
      throw error;
    };
    const pass = (result: T): T => {
      outcomes.passed.observe((clock.monotonicMs() - startedMs) / 1000);
      return result;
    };
    let result: T | Promise<T>;
    try {
      result = run();
    } catch (error) {
      return refuse(error);
    }
    return result instanceof Promise ? result.then(pass, refuse) : pass(result);
  }

  async function pass(request: AdmissionRequest, passes: Passes): Promise<KubeObject | undefined> {
    let current: AdmissionRequest = { ...request, passes };
    for (const { plugin, outcomesOf } of mutators) {
      if (plugin.handles?.(current) === false) continue;
      const result = timed(outcomesOf(request.operation), () => plugin.mutate?.(current));
      const object = result instanceof Promise ? await result : result;
      if (object !== undefined && object !== current.object) current = { ...current, object };
    }
    return current.object;
  }

  async function mutate(request: AdmissionRequest): Promise<KubeObject | undefined> {
    const passes: Passes = { again: false, wanted: false, memory: new Map() };
    let object = await pass(request, passes);
    if (passes.wanted) {
      passes.again = true;
      object = await pass(object === undefined ? request : { ...request, object }, passes);
    }
    return object && withValidManagers(request, object);
  }

  async function validate(request: AdmissionRequest): Promise<void> {
    for (const { plugin, outcomesOf } of validators) {
      if (plugin.handles?.(request) === false) continue;
      const result = timed(outcomesOf(request.operation), () => plugin.validate?.(request));
      if (result instanceof Promise) await result;
    }
  }

  return {
    mutate: async (request) => timed(steps.admit(request.operation), () => mutate(request)),
    validate: async (request) => timed(steps.validate(request.operation), () => validate(request)),
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

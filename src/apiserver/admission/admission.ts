import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Call } from "../call.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** What an admission plugin is asked about. Objects are in the kind's storage version. */
export interface AdmissionRequest {
  readonly operation: Operation;
  readonly call: Call;
  /** Definition of the object in hand (a subresource's own kind where it has one). */
  readonly definition: ResourceDefinition;
  readonly name: string;
  /** The new object; absent for DELETE. A mutator may change it in place or return another. */
  readonly object?: KubeObject;
  /** The stored object; frozen. Absent for CREATE. */
  readonly oldObject?: KubeObject;
  /** False when this runs again after another mutator changed something. */
  readonly firstPass?: boolean;
}

/**
 * One plugin of the chain, a frozen value on one line of `plugins.ts`. Errors: a `StatusError`,
 * usually `forbiddenStatus`.
 */
export interface AdmissionPlugin {
  readonly name: string;
  readonly enabledByDefault: boolean;
  /** Quick filter; absent means every request. */
  readonly handles?: (request: AdmissionRequest) => boolean;
  readonly mutate?: (request: AdmissionRequest) => KubeObject | undefined | Promise<KubeObject | undefined>;
  readonly validate?: (request: AdmissionRequest) => void | Promise<void>;
}

export interface Admission {
  /** Runs the mutators in order and returns the object they agree on. */
  mutate(request: AdmissionRequest): Promise<KubeObject | undefined>;
  /** Runs the validators in order; the first refusal wins. */
  validate(request: AdmissionRequest): Promise<void>;
}

/** Chains plugins; those without the phase are left out once, not at each request. */
export function createAdmission(plugins: readonly AdmissionPlugin[]): Admission {
  const mutators = plugins.filter((plugin) => plugin.mutate !== undefined);
  const validators = plugins.filter((plugin) => plugin.validate !== undefined);
  return {
    async mutate(request) {
      let object = request.object;
      for (const plugin of mutators) {
        const current = object === undefined ? request : { ...request, object };
        if (plugin.handles?.(current) === false) continue;
        object = (await plugin.mutate?.(current)) ?? object;
      }
      return object;
    },
    async validate(request) {
      for (const plugin of validators) {
        if (plugin.handles?.(request) !== false) await plugin.validate?.(request);
      }
    },
  };
}

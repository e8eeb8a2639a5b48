import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { AdmissionRequest } from "./request.ts";

/** What a mutator of several parts leaves from the first pass to the second. */
export interface Reinvocation {
  /** Whether a part runs: all do in the first pass, later those that something changed behind. */
  isDue(id: string): boolean;
  /** Says that the part ran; `ifNeeded` is its reinvocation policy. */
  ran(id: string, outcome: { readonly changed: boolean; readonly ifNeeded: boolean }): void;
  /** Ends the pass with what came out of it. */
  end(object: KubeObject | undefined): void;
}

interface Memory {
  lastOutput: KubeObject | undefined;
  /** Parts of policy IfNeeded that ran. */
  readonly called: Set<string>;
  /** Those that something changed behind. */
  readonly due: Set<string>;
}

/**
 * Begins a pass of the mutator `name`.
 * Source: admission/plugin/webhook/mutating/reinvocationcontext.go, and that of policies.
 */
export function beginPass(name: string, request: AdmissionRequest): Reinvocation {
  const { passes } = request;
  const memory = (passes?.memory.get(name) as Memory | undefined) ?? { lastOutput: undefined, called: new Set(), due: new Set() };
  passes?.memory.set(name, memory);
  const again = passes?.again === true;
  const makeDue = (): void => {
    for (const id of memory.called) memory.due.add(id);
    memory.called.clear();
  };
  if (again && !deepEqual(memory.lastOutput, request.object)) makeDue();
  return {
    isDue: (id) => !again || memory.due.has(id),
    ran(id, { changed, ifNeeded }) {
      if (changed) {
        makeDue();
        if (passes !== undefined) passes.wanted = true;
      }
      if (ifNeeded) memory.called.add(id);
    },
    end(object) {
      memory.lastOutput = object;
    },
  };
}

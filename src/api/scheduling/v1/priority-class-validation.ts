import { forbidden } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateImmutable,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import type { PriorityClass } from "./priority-class.ts";

/** Source: pkg/apis/scheduling/validation/validation.go and pkg/apis/scheduling/types.go. */
export const userPriorityMax = 1_000_000_000;
const systemPrefix = "system-";
export const systemPriorities: ReadonlyMap<string, number> = new Map([
  ["system-cluster-critical", 2 * userPriorityMax],
  ["system-node-critical", 2 * userPriorityMax + 1000],
]);

export function* validatePriorityClass(priority: PriorityClass): Findings {
  const { metadata: meta, value } = priority;
  const { name = "" } = meta;
  if (name.startsWith(systemPrefix)) {
    const fault = systemFault(priority);
    const detail = `priority class names with '${systemPrefix}' prefix are reserved for system use only`;
    if (fault !== undefined) yield forbidden("metadata.name", `${detail}. error: ${fault}`);
  } else if (value > userPriorityMax) {
    const detail = `maximum allowed value of a user defined priority is ${userPriorityMax}`;
    yield forbidden("value", detail);
  }
  const policies = ["PreemptLowerPriority", "Never"];
  yield* validateSupported(priority.preemptionPolicy, policies, "preemptionPolicy");
}

function systemFault({ metadata: meta, value, globalDefault }: PriorityClass): string | undefined {
  const { name = "" } = meta;
  const known = systemPriorities.get(name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault === true
    ? `globalDefault of ${name} PriorityClass must be false`
    : undefined;
}

export function* validatePriorityClassUpdate(
  priority: PriorityClass,
  old: PriorityClass,
): Findings {
  if (priority.value !== old.value) yield forbidden("value", "may not be changed in an update.");
  yield* validateImmutable(priority.preemptionPolicy, old.preemptionPolicy, "preemptionPolicy");
}

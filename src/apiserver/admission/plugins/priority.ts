import type { Pod } from "#api/core/v1/pod.ts";
import type { PriorityClass } from "#api/scheduling/v1/priority-class.ts";
import { forbiddenStatus } from "#apimachinery/status.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";

/** Resolves a pod's priority class to its number. Source: plugin/pkg/admission/priority. */
export function priorityAdmission(classes: LiveSet<PriorityClass>): AdmissionPlugin {
  return {
    name: "Priority",
    handles: ({ definition, operation, call }) =>
      call.subresource === "" &&
      ((definition.plural === "pods" && definition.group === "" && operation !== "DELETE") ||
        definition.plural === "priorityclasses"),
    mutate({ definition, object, oldObject }) {
      if (definition.plural !== "pods") return undefined;
      const pod = object as Pod;
      return oldObject === undefined ? withPriority(pod, classes) : keepingPriority(pod, oldObject as Pod);
    },
    validate({ definition, operation, object, name }) {
      if (definition.plural !== "priorityclasses" || operation === "DELETE") return;
      const wanted = object as PriorityClass;
      if (wanted.globalDefault !== true) return;
      const other = globalDefault(classes);
      if (other !== undefined && other.metadata?.name !== name) {
        const why = `PriorityClass ${other.metadata?.name ?? ""} is already marked as default. Only one default can exist`;
        throw forbiddenStatus({ group: "scheduling.k8s.io", resource: "priorityclasses" }, name, why);
      }
    },
  };
}

/** The default class; of several the one of the least value. */
function globalDefault(classes: LiveSet<PriorityClass>): PriorityClass | undefined {
  return [...classes.values()]
    .filter((one) => one.globalDefault === true)
    .toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}

/** Updates may leave out what a create got. */
function keepingPriority(pod: Pod, old: Pod): Pod {
  const priority = pod.spec.priority ?? old.spec.priority;
  const preemptionPolicy = pod.spec.preemptionPolicy ?? old.spec.preemptionPolicy;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(priority !== undefined && { priority }),
      ...(preemptionPolicy !== undefined && { preemptionPolicy }),
    },
  };
}

function withPriority(pod: Pod, classes: LiveSet<PriorityClass>): Pod {
  const { spec } = pod;
  const name = spec?.priorityClassName || "";
  const found = name === "" ? globalDefault(classes) : classes.get("", name);
  const refuse = (why: string): Error =>
    forbiddenStatus({ group: "", resource: "pods" }, pod.metadata?.name ?? "", why);
  if (name !== "" && found === undefined) throw refuse(`no PriorityClass with name ${name} was found`);
  const priority = found?.value ?? 0;
  if (spec?.priority !== undefined && spec.priority !== priority) {
    throw refuse(
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ` +
        `priority admission controller computed ${priority} from the given PriorityClass name`,
    );
  }
  const preemptionPolicy = found?.preemptionPolicy ?? "PreemptLowerPriority";
  if (spec?.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw refuse(
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ` +
        `priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  }
  return {
    ...pod,
    spec: {
      ...spec,
      ...(found !== undefined && { priorityClassName: found.metadata?.name }),
      priority,
      preemptionPolicy,
    },
  } as Pod;
}

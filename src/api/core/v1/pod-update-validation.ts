import { deepEqual, semanticEqual } from "#apimachinery/deep-equal.ts";
import { type FieldError, forbidden, invalid } from "#apimachinery/field-error.ts";
import {
  type Findings,
  inclusiveRangeText,
  validateRequired,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { idMax } from "#apimachinery/validation/syntax.ts";
import type { Affinity, NodeAffinity } from "./affinity.ts";
import type { Container } from "./container.ts";
import { validateImageSpace } from "./container-validation.ts";
import { NodeSelectorTerm } from "./node-selector.ts";
import type { Pod } from "./pod.ts";
import type { PodRules } from "./pod-rules.ts";
import { validateTolerations } from "./pod-scheduling-validation.ts";
import type { PodSchedulingGate, PodSpec, Toleration } from "./pod-spec.ts";
import { podSpecDiff } from "./pod-internal-value.ts";
import {
  appArmorPrefix,
  mirrorAnnotation,
  validatePodAndMeta,
  validatePodAnnotations,
} from "./pod-validation.ts";

/** Few fields of a Pod may change. Source: ValidatePodUpdate. */
const updatableFields = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

export function* validatePodUpdate(pod: Pod, old: Pod, rules: PodRules): Findings {
  yield* validatePodAndMeta(pod, rules);
  yield* validatePodAnnotationUpdate(pod, old, rules);
  const containersKept = yield* validateContainerUpdate(
    pod.spec.containers,
    old.spec.containers,
    "spec.containers",
  );
  if (!containersKept) return;
  const initKept = yield* validateContainerUpdate(
    pod.spec.initContainers ?? [],
    old.spec.initContainers ?? [],
    "spec.initContainers",
  );
  if (!initKept) return;
  const deadlineFits = yield* validateDeadlineUpdate(pod.spec, old.spec);
  if (!deadlineFits) return;
  yield* validateTolerationUpdate(pod.spec.tolerations ?? [], old.spec.tolerations ?? []);
  yield* validateGateUpdate(pod.spec.schedulingGates ?? [], old.spec.schedulingGates ?? []);
  if (semanticEqual(pod.spec, old.spec)) return;
  const gated = (old.spec.schedulingGates ?? []).length > 0;
  if (gated) yield* validateGatedUpdate(pod.spec, old.spec);
  const masked = withOldMutableFields(pod.spec, old.spec, gated);
  if (semanticEqual(masked, old.spec)) return;
  const diff = podSpecDiff(old.spec, masked);
  yield forbidden(
    "spec",
    `pod updates may not change fields other than ${updatableFields}\n${diff}`,
  );
}

/** The new spec with what may change put back: what is left different is forbidden. */
function withOldMutableFields(spec: PodSpec, old: PodSpec, gated: boolean): PodSpec {
  const withImages = (list: readonly Container[] = [], others: readonly Container[] = []) =>
    list.map((container, i) => ({ ...container, image: others[i]?.image }));
  const grace = spec.terminationGracePeriodSeconds;
  const graceFixed = (old.terminationGracePeriodSeconds ?? 0) < 0 && grace === 1;
  return {
    ...spec,
    containers: withImages(spec.containers, old.containers),
    initContainers: withImages(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
    terminationGracePeriodSeconds: graceFixed ? old.terminationGracePeriodSeconds : grace,
    ...(gated && {
      nodeSelector: old.nodeSelector,
      affinity: withOldNodeAffinity(spec.affinity, old.affinity),
    }),
  };
}

function withOldNodeAffinity(
  affinity: Affinity | undefined,
  old: Affinity | undefined,
): Affinity | undefined {
  return { ...affinity, nodeAffinity: old?.nodeAffinity };
}

export function* validatePodAnnotationUpdate(pod: Pod, old: Pod, rules: PodRules): Findings {
  const now = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  const path = "metadata.annotations";
  for (const [key, value] of Object.entries(before)) {
    if (now[key] === value) continue;
    if (key.startsWith(appArmorPrefix)) {
      yield forbidden(`${path}[${key}]`, "may not remove or update AppArmor annotations");
    }
    if (key === mirrorAnnotation) {
      yield forbidden(`${path}[${key}]`, "may not remove or update mirror pod annotation");
    }
  }
  for (const key of Object.keys(now)) {
    if (Object.hasOwn(before, key)) continue;
    if (key.startsWith(appArmorPrefix)) {
      yield forbidden(`${path}[${key}]`, "may not add AppArmor annotations");
    }
    if (key === mirrorAnnotation)
      yield forbidden(`${path}[${key}]`, "may not add mirror pod annotation");
  }
  yield* validatePodAnnotations(pod.metadata, pod.spec, { path, rules });
}

/** Returns whether the lists can be compared further. */
function* validateContainerUpdate(
  containers: readonly Container[],
  old: readonly Container[],
  path: string,
): Generator<FieldError, boolean, undefined> {
  if (containers.length !== old.length) {
    yield forbidden(path, "pod updates may not add or remove containers");
    return false;
  }
  for (const [i, { image = "" }] of containers.entries()) {
    yield* validateRequired(image, `${path}[${i}].image`);
    yield* validateImageSpace(image, `${path}[${i}]`);
  }
  return true;
}

/** Deadlines can be set and shortened. */
function* validateDeadlineUpdate(
  spec: PodSpec,
  old: PodSpec,
): Generator<FieldError, boolean, undefined> {
  const path = "spec.activeDeadlineSeconds";
  const seconds = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  if (seconds === undefined) {
    if (before !== undefined) {
      yield invalid(path, null, "must not update from a positive integer to nil value");
    }
    return true;
  }
  if (seconds < 0 || seconds > idMax) {
    yield invalid(path, seconds, inclusiveRangeText(0, idMax));
    return false;
  }
  if (before === undefined || before >= seconds) return true;
  yield invalid(path, seconds, "must be less than or equal to previous value");
  return false;
}

function* validateTolerationUpdate(
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
): Findings {
  const path = "spec.tolerations";
  const kept = old.every((before) =>
    tolerations.some((now) =>
      deepEqual({ ...before, tolerationSeconds: now.tolerationSeconds }, now),
    ),
  );
  if (kept) yield* validateTolerations(tolerations, path);
  else {
    const detail = "existing toleration can not be modified except its tolerationSeconds";
    yield forbidden(path, detail);
  }
}

function* validateGateUpdate(
  gates: readonly PodSchedulingGate[],
  old: readonly PodSchedulingGate[],
): Findings {
  for (const [i, { name }] of gates.entries()) {
    if (old.some((gate) => gate.name === name)) continue;
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    yield forbidden(`spec.schedulingGates[${i}].name`, detail);
  }
}

/** Where a gated Pod runs may still be narrowed. */
function* validateGatedUpdate(spec: PodSpec, old: PodSpec): Findings {
  const selector = spec.nodeSelector ?? {};
  const kept = Object.entries(old.nodeSelector ?? {}).every(
    ([key, value]) => selector[key] === value,
  );
  if (!kept) {
    const detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    yield invalid("spec.nodeSelector", selector, detail);
  }
  if (!semanticEqual(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity)) {
    yield* validateNodeAffinityUpdate(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity);
  }
}

export function* validateNodeAffinityUpdate(
  affinity: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
  path = "spec.affinity.nodeAffinity",
): Findings {
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  if (before.length > 0 && before.length !== terms.length) {
    const detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    yield invalid(
      at,
      terms.map((term) => internalValue(NodeSelectorTerm, term)),
      detail,
    );
    return;
  }
  for (const [i, oldTerm] of before.entries()) {
    const term = terms[i];
    if (term !== undefined && onlyAdds(term, oldTerm)) continue;
    const detail = "only additions are allowed (no mutations or deletions)";
    yield invalid(`${at}[${i}]`, internalValue(NodeSelectorTerm, term), detail);
  }
}

function onlyAdds(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const lists = ["matchExpressions", "matchFields"] as const;
  const wasEmpty = lists.every((list) => (old[list] ?? []).length === 0);
  if (wasEmpty && lists.some((list) => (term[list] ?? []).length > 0)) return false;
  return lists.every((list) => {
    const before = old[list] ?? [];
    return semanticEqual((term[list] ?? []).slice(0, before.length), before);
  });
}

import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { type FieldError, forbidden, goQuote, invalid } from "#apimachinery/field-error.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { unifiedDiff } from "#apimachinery/text-diff.ts";
import { type Container, EphemeralContainer, type ResourceRequirements } from "./container.ts";
import type { Pod } from "./pod.ts";
import { qosClassOf } from "./pod-qos.ts";
import { isSidecar } from "./pod-resources.ts";
import type { PodRules } from "./pod-rules.ts";
import { validatePodAnnotationUpdate } from "./pod-update-validation.ts";
import { mirrorAnnotation, validatePodAndMeta } from "./pod-validation.ts";
import { type ResourceList } from "./resource-name.ts";

/** Source: ValidatePodEphemeralContainersUpdate. */
export function* validateEphemeralContainersUpdate(pod: Pod, old: Pod, rules: PodRules): Findings {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    yield forbidden("[]", "static pods do not support ephemeral containers");
    return;
  }
  yield* validatePodAndMeta(pod, rules);
  yield* validatePodAnnotationUpdate(pod, old, rules);
  const path = "spec.ephemeralContainers";
  const containers = pod.spec.ephemeralContainers ?? [];
  for (const before of old.spec.ephemeralContainers ?? []) {
    const now = containers.findLast(({ name }) => name === before.name);
    const named = `existing ephemeral containers ${goQuote(before.name)}`;
    if (now === undefined) yield forbidden(path, `${named} may not be removed\n`);
    else if (!semanticEqual(before, now)) {
      const diff = unifiedDiff(indented(before), indented(now));
      yield forbidden(path, `${named} may not be changed\n${diff}`);
    }
  }
}

function indented(container: EphemeralContainer): string[] {
  return JSON.stringify(internalValue(EphemeralContainer, container), undefined, 1).split("\n");
}

/** Running containers change cpu and memory only. Source: ValidatePodResize. */
export function* validateResize(pod: Pod, old: Pod, rules: PodRules): Findings {
  const refusal = resizeRefusal(old);
  if (refusal !== undefined) {
    yield forbidden("[]", refusal);
    return;
  }
  const errors = [...validatePodAndMeta(pod, rules)];
  const oldClass = old.status?.qosClass || qosClassOf(old.spec);
  if (oldClass !== qosClassOf(pod.spec)) {
    const detail = "Pod QOS Class may not change as a result of resizing";
    errors.push(invalid("spec", pod.status?.qosClass ?? oldClass, detail));
  }
  if (!supportsResize(old)) {
    errors.push(forbidden("spec", "Pod running on node without support for resize"));
  }
  const initResizes = rules.features.enabled("InPlacePodVerticalScalingInitContainers");
  errors.push(...validateResizedContainers(pod, old, initResizes));
  yield* errors;
}

function resizeRefusal(old: Pod): string | undefined {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined)
    return "static pods cannot be resized";
  return old.spec.os?.name === "windows" ? "windows pods cannot be resized" : undefined;
}

/** Kubelets that can resize report resources of running containers. */
function supportsResize({ status }: Pod): boolean {
  const running = (status?.containerStatuses ?? []).find(
    ({ state }) => state?.running !== undefined,
  );
  return running === undefined || running.resources !== undefined;
}

/** `initResizes`: also init containers that are no sidecars. */
function validateResizedContainers(pod: Pod, old: Pod, initResizes: boolean): FieldError[] {
  const lists = [
    ["containers", pod.spec.containers, old.spec.containers],
    ["initContainers", pod.spec.initContainers ?? [], old.spec.initContainers ?? []],
  ] as const;
  const errors: FieldError[] = [];
  for (const [name, containers, before] of lists) {
    if (containers.length === before.length) continue;
    errors.push(forbidden(`spec.${name}`, `${name} may not be added or removed on resize`));
  }
  if (errors.length > 0) return errors;
  for (const [name, containers, before] of lists) {
    for (const [i, container] of before.entries()) {
      if (containers[i]?.name === container.name) continue;
      const detail = `${name} may not be renamed or reordered on resize`;
      errors.push(forbidden(`spec.${name}[${i}].name`, detail));
    }
  }
  if (errors.length > 0) return errors;
  for (const [name, containers, before] of lists) {
    for (const [i, container] of before.entries()) {
      const now = containers[i];
      const fixed = name === "initContainers" && !initResizes && !isSidecar(container);
      if (now === undefined || fixed) continue;
      errors.push(...validateContainerResize(now, container, `spec.${name}[${i}].resources`));
    }
  }
  for (const [name, containers, before] of lists) {
    for (const [i, container] of before.entries()) {
      const resizable = name === "containers" || initResizes || isSidecar(container);
      const fault = otherChange(containers[i], container, resizable ? name : "fixed");
      if (fault !== undefined) errors.push(forbidden("spec", fault));
    }
  }
  return errors;
}

function otherChange(
  now: Container | undefined,
  old: Container,
  list: "containers" | "initContainers" | "fixed",
): string | undefined {
  if (now === undefined) return undefined;
  const plain = list === "containers";
  if (list === "fixed") {
    return semanticEqual(now, old)
      ? undefined
      : "resources for non-sidecar init containers are immutable";
  }
  if (semanticEqual({ ...now, resources: withOldCompute(now.resources, old.resources) }, old)) {
    return undefined;
  }
  const noun = plain ? "" : "for sidecar containers ";
  return `only cpu and memory resources ${noun}are mutable`;
}

function withOldCompute(
  now: ResourceRequirements | undefined,
  old: ResourceRequirements | undefined,
): ResourceRequirements {
  const mask = (list: ResourceList = {}, before: ResourceList = {}): Record<string, string> => {
    const { cpu: _cpu, memory: _memory, ...others } = list;
    const { cpu, memory } = before;
    return {
      ...others,
      ...(cpu !== undefined && { cpu }),
      ...(memory !== undefined && { memory }),
    };
  };
  return {
    limits: mask(now?.limits, old?.limits),
    requests: mask(now?.requests, old?.requests),
    claims: now?.claims,
  };
}

function* validateContainerResize(now: Container, old: Container, path: string): Findings {
  for (const side of ["requests", "limits"] as const) {
    const list = now.resources?.[side] ?? {};
    const removed = Object.keys(old.resources?.[side] ?? {}).some(
      (name) => list[name] === undefined,
    );
    if (removed) yield forbidden(`${path}.${side}`, `resource ${side} cannot be removed`);
  }
}

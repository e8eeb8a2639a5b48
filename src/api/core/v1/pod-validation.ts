import { forbidden, invalid } from "#apimachinery/field-error.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import type { ObjectMeta } from "#apimachinery/object.ts";
import { type Findings } from "#apimachinery/validation/checks.ts";
import { validateAnnotations, validateLabels } from "#apimachinery/validation/object-meta.ts";
import { validateImageSpace } from "./container-validation.ts";
import { validateTolerations } from "./pod-scheduling-validation.ts";
import type { Pod } from "./pod.ts";
import { deletionCostAnnotation, type PodRules } from "./pod-rules.ts";
import { isInt32Text } from "#apimachinery/validation/syntax.ts";
import type { PodSpec, PodTemplateSpec, Toleration } from "./pod-spec.ts";
import { validatePodSpec } from "./pod-spec-validation.ts";
import type { AppArmorProfile, SeccompProfile } from "./security-context.ts";
import { validateDescendingPath } from "./volume-path-validation.ts";

export const mirrorAnnotation = "kubernetes.io/config.mirror";
const tolerationsAnnotation = "scheduler.alpha.kubernetes.io/tolerations";
const seccompPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainerPrefix = "container.seccomp.security.alpha.kubernetes.io/";
export const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

/** A new Pod. Metadata itself is checked by the pipeline. Source: ValidatePodCreate. */
export function* validatePodCreate(pod: Pod, rules: PodRules): Findings {
  yield* validatePodAndMeta(pod, rules);
  const { spec } = pod;
  if ((spec.ephemeralContainers ?? []).length > 0) {
    yield forbidden("spec.ephemeralContainers", "cannot be set on create");
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
  }
  yield* validateProfileAnnotations(pod.metadata, spec, "spec");
}

/** What creates and updates have in common. */
export function* validatePodAndMeta(pod: Pod, rules: PodRules): Findings {
  const { spec, metadata: meta } = pod;
  yield* validatePodAnnotations(meta, spec, { path: "metadata.annotations", rules });
  yield* validatePodSpec(spec, "spec", { meta, rules });
  if (!spec.serviceAccountName) {
    for (const [i, volume] of (spec.volumes ?? []).entries()) {
      for (const [j, source] of (volume.projected?.sources ?? []).entries()) {
        if (source.serviceAccountToken === undefined) continue;
        const at = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`;
        yield forbidden(at, "must not be specified when serviceAccountName is not set");
      }
    }
  }
  for (const [i, { image = "" }] of spec.containers.entries()) {
    yield* validateImageSpace(image, `spec.containers[${i}]`);
  }
  for (const [i, { image = "" }] of (spec.initContainers ?? []).entries()) {
    yield* validateImageSpace(image, `spec.initContainers[${i}]`);
  }
}

/** The template of a kind that makes Pods. Source: ValidatePodTemplateSpec. */
export function* validatePodTemplateSpec(
  template: PodTemplateSpec,
  path: string,
  rules: PodRules,
): Findings {
  const { metadata: meta, spec } = template;
  yield* validateLabels(meta.labels, `${path}.labels`);
  yield* validateAnnotations(meta.annotations, `${path}.annotations`);
  yield* validatePodAnnotations(meta, spec, { path: `${path}.annotations`, rules });
  yield* validatePodSpec(spec, `${path}.spec`, { rules });
  yield* validateProfileAnnotations(meta, spec, `${path}.spec`);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const detail = "ephemeral containers not allowed in pod template";
    yield forbidden(`${path}.spec.ephemeralContainers`, detail);
  }
}

export function* validatePodAnnotations(
  meta: ObjectMeta,
  spec: PodSpec,
  { path, rules }: { path: string; rules: PodRules },
): Findings {
  const annotations = meta.annotations ?? {};
  const mirror = annotations[mirrorAnnotation];
  if (mirror !== undefined && !spec.nodeName) {
    const detail = "must set spec.nodeName if mirror pod annotation is set";
    yield invalid(`${path}[${mirrorAnnotation}]`, mirror, detail);
  }
  yield* validateTolerationsAnnotation(annotations[tolerationsAnnotation], path);
  const cost = annotations[deletionCostAnnotation];
  if (cost !== undefined && rules.allowInvalidDeletionCost !== true && !isInt32Text(cost)) {
    yield invalid(`${path}[${deletionCostAnnotation}]`, cost, "must be a 32bit integer");
  }
  const pod = annotations[seccompPodAnnotation];
  if (pod !== undefined) yield* validateSeccompText(pod, `${path}.${seccompPodAnnotation}`);
  const names = new Set(containerNames(spec));
  for (const [key, value] of Object.entries(annotations).sort(([a], [b]) => compareBytes(a, b))) {
    if (key.startsWith(seccompContainerPrefix)) yield* validateSeccompText(value, `${path}.${key}`);
    if (!key.startsWith(appArmorPrefix)) continue;
    const name = key.slice(appArmorPrefix.length);
    if (!names.has(name)) yield invalid(`${path}[${key}]`, name, "container not found");
    if (!/^$|^runtime\/default$|^unconfined$|^localhost\//.test(value)) {
      yield invalid(
        `${path}[${key}]`,
        value,
        `invalid AppArmor profile name: ${JSON.stringify(value)}`,
      );
    }
  }
}

function* validateTolerationsAnnotation(text: string | undefined, path: string): Findings {
  if (!text) return;
  try {
    const tolerations = JSON.parse(text) as Toleration[] | null;
    yield* validateTolerations(tolerations ?? [], `${path}.${tolerationsAnnotation}`);
  } catch (error) {
    yield invalid(path, tolerationsAnnotation, (error as Error).message);
  }
}

function containerNames(spec: PodSpec): string[] {
  const all = [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ];
  return all.map(({ name }) => name);
}

function* validateSeccompText(profile: string, path: string): Findings {
  if (["runtime/default", "docker/default", "unconfined"].includes(profile)) return;
  if (profile.startsWith("localhost/")) {
    yield* validateDescendingPath(profile.slice("localhost/".length), path);
  } else yield invalid(path, profile, "must be a valid seccomp profile");
}

/** Old annotations must say what the fields say. */
export function* validateProfileAnnotations(
  meta: ObjectMeta,
  spec: PodSpec,
  path: string,
): Findings {
  const annotations = meta.annotations ?? {};
  const ofPod = spec.securityContext?.seccompProfile;
  yield* matchProfile(annotations[seccompPodAnnotation], ofPod, {
    path: `${path}.securityContext.seccompProfile`,
    noun: "seccomp",
  });
  const lists = {
    initContainers: spec.initContainers ?? [],
    containers: spec.containers,
    ephemeralContainers: spec.ephemeralContainers ?? [],
  };
  const containers = Object.entries(lists).flatMap(([name, list]) =>
    list.map((container, i) => ({ container, at: `${path}.${name}[${i}].securityContext` })),
  );
  for (const { container, at } of containers) {
    const annotation = annotations[seccompContainerPrefix + container.name];
    yield* matchProfile(annotation, container.securityContext?.seccompProfile, {
      path: `${at}.seccompProfile`,
      noun: "seccomp",
    });
  }
  if (spec.os?.name === "windows") return;
  for (const { container, at } of containers) {
    const profile =
      container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    const annotation = annotations[appArmorPrefix + container.name];
    yield* matchProfile(annotation, profile, { path: `${at}.appArmorProfile`, noun: "apparmor" });
  }
}

function* matchProfile(
  annotation: string | undefined,
  profile: SeccompProfile | AppArmorProfile | undefined,
  { path, noun }: { path: string; noun: "seccomp" | "apparmor" },
): Findings {
  if (annotation === undefined || profile === undefined) return;
  const local = annotation.startsWith("localhost/");
  const type = local ? "Localhost" : annotationTypes[annotation];
  if (type !== profile.type || (annotation === "docker/default" && noun === "apparmor")) {
    yield forbidden(`${path}.type`, `${noun} type in annotation and field must match`);
  } else if (local && annotation.slice("localhost/".length) !== profile.localhostProfile) {
    yield forbidden(
      `${path}.localhostProfile`,
      `${noun} profile in annotation and field must match`,
    );
  }
}

const annotationTypes: Readonly<Record<string, string>> = {
  unconfined: "Unconfined",
  "runtime/default": "RuntimeDefault",
  "docker/default": "RuntimeDefault",
};

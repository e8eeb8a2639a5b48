import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { rfc3339 } from "#base/clock.ts";
import type { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import type {
  FeatureReader,
  Strategy,
  StrategyContext,
  SubresourceDefinition,
  UpdateContext,
} from "#apimachinery/resource.ts";
import { checkDnsLabel } from "#apimachinery/validation/names.ts";
import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import { ipWarnings } from "#apimachinery/validation/ip.ts";
import { keepMetadata } from "#api/strategies.ts";
import type { Container } from "./container.ts";
import type { Pod } from "./pod.ts";
import { defaultPod } from "./pod-defaults.ts";
import { qosClassOf } from "./pod-qos.ts";
import { type PodRules, toleratedOf } from "./pod-rules.ts";
import type { PodSpec } from "./pod-spec.ts";
import type { PodStatus } from "./pod-status.ts";
import { validateEphemeralContainersUpdate, validateResize } from "./pod-resize-validation.ts";
import { validatePodStatusUpdate } from "./pod-status-validation.ts";
import { validatePodUpdate } from "./pod-update-validation.ts";
import { appArmorPrefix, validatePodCreate } from "./pod-validation.ts";
import { appArmorNotice, podSpecWarnings } from "./pod-warnings.ts";
import type { AppArmorProfile } from "./security-context.ts";

/** How Pods are written. Source: pkg/registry/core/pod/strategy.go. */
export const podStrategy: Strategy<Pod> = {
  generation: true,
  deleteReturnsObject: true,
  default: defaultPod,
  prepareForCreate(pod, { features, nowMs }) {
    dropDisabledPodFields(pod.spec, undefined, features);
    pod.status = { phase: "Pending", qosClass: qosClassOf(pod.spec) };
    if ((pod.spec.schedulingGates ?? []).length > 0) {
      pod.status.conditions = [{ ...gatedCondition, lastTransitionTime: rfc3339(nowMs) }];
    }
    if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0)
      pod.spec.terminationGracePeriodSeconds = 1;
    mergeLabelKeys(pod);
    readAppArmorAnnotations(pod);
  },
  prepareForUpdate(pod, { old, features }) {
    pod.status = old.status;
    dropDisabledPodFields(pod.spec, old.spec, features);
  },
  validate: (pod, context) => [...validatePodCreate(pod, podRules(context))],
  validateUpdate: (pod, context) => [
    // With the Pod as a whole upstream looks at its metadata once more.
    ...validateObjectMeta(pod.metadata, { namespaced: true }),
    ...validatePodUpdate(pod, context.old, updateRules(context)),
  ],
  preparationWarnings: (pod) => preparedWarnings.get(pod) ?? [],
  warnings(pod, { old }) {
    if (old !== undefined) return [];
    const texts = checkDnsLabel(pod.metadata.name ?? "");
    return [
      ...(texts.length > 0 ? [hostnameWarning(texts)] : []),
      ...podSpecWarnings(pod.metadata, pod.spec),
    ];
  },
  gracePeriodSeconds(pod, asked) {
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 0;
    const ended = pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
    if (!pod.spec.nodeName || ended) return 0;
    return seconds < 0 ? 1 : seconds;
  },
};

function hostnameWarning(texts: readonly string[]): string {
  return (
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; " +
    `a DNS label is recommended: [${texts.join(" ")}]`
  );
}

const gatedCondition = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
};

function podRules({ features, allowPrivileged = true }: StrategyContext): PodRules {
  return { isPod: true, features, allowPrivileged };
}

/** What the old Pod had, the new one may keep. */
function updateRules(context: UpdateContext<Pod>): PodRules {
  const { old } = context;
  const addresses = [...(old.status?.podIPs ?? []), ...(old.status?.hostIPs ?? [])];
  const tolerated = toleratedOf(old.metadata, old.spec);
  return {
    ...podRules(context),
    ...tolerated,
    oldIps: [...(tolerated.oldIps ?? []), ...addresses.map(({ ip }) => ip)],
  };
}

/** Fields behind gates that are off go, unless the old spec has them. Changes `spec`. */
export function dropDisabledPodFields(
  spec: PodSpec,
  old: PodSpec | undefined,
  features: FeatureReader,
): void {
  const oldSources = (old?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  for (const source of (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? [])) {
    if (
      !features.enabled("ClusterTrustBundleProjection") &&
      !oldSources.some((s) => s.clusterTrustBundle)
    ) {
      delete source.clusterTrustBundle;
    }
    if (!features.enabled("PodCertificateRequest") && !oldSources.some((s) => s.podCertificate)) {
      delete source.podCertificate;
    }
  }
  if (!features.enabled("GenericWorkload") && old?.schedulingGroup === undefined) {
    delete spec.schedulingGroup;
  }
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const oldContainers = [...(old?.initContainers ?? []), ...(old?.containers ?? [])];
  const hadSignal = oldContainers.some(({ lifecycle }) => lifecycle?.stopSignal !== undefined);
  if (!features.enabled("ContainerStopSignals") && !hadSignal) {
    for (const container of containers) {
      if (container.lifecycle?.stopSignal === undefined) continue;
      const { stopSignal: _, ...hooks } = container.lifecycle;
      if (Object.keys(hooks).length > 0) container.lifecycle = hooks;
      else delete container.lifecycle;
    }
  }
}

/** Keys whose values the Pod's own labels give become expressions of the selector. */
function mergeLabelKeys(pod: Pod): void {
  const labels = pod.metadata.labels ?? {};
  const add = (
    selector: LabelSelector | undefined,
    keys: readonly string[],
    operator: string,
  ): void => {
    if (selector === undefined) return;
    for (const key of keys) {
      const value = labels[key];
      if (value === undefined) continue;
      selector.matchExpressions = [
        ...(selector.matchExpressions ?? []),
        { key, operator, values: [value] },
      ];
    }
  };
  const { affinity } = pod.spec;
  for (const side of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    const terms = [
      ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        (term) => term.podAffinityTerm,
      ),
    ];
    for (const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } of terms) {
      add(labelSelector, matchLabelKeys, "In");
      add(labelSelector, mismatchLabelKeys, "NotIn");
    }
  }
  for (const { labelSelector, matchLabelKeys = [] } of pod.spec.topologySpreadConstraints ?? []) {
    add(labelSelector, matchLabelKeys, "In");
  }
}

/** Notices found while preparing, given out with the other warnings. */
const preparedWarnings = new WeakMap<Pod, string[]>();

/** Annotations of before the fields become fields. */
function readAppArmorAnnotations(pod: Pod): void {
  if (pod.spec.os?.name === "windows") return;
  const ofPod = pod.spec.securityContext?.appArmorProfile;
  const warnings: string[] = [];
  const containers: Pick<Container, "name" | "securityContext">[] = [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
  ];
  for (const container of containers) {
    const key = appArmorPrefix + container.name;
    const annotation = pod.metadata.annotations?.[key];
    const own = container.securityContext?.appArmorProfile;
    if (annotation === undefined || own !== undefined) continue;
    const profile = profileOf(annotation);
    if (ofPod === undefined) warnings.push(`metadata.annotations[${key}]: ${appArmorNotice}`);
    if (profile === undefined || annotationOf(ofPod) === annotation) continue;
    container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  }
  preparedWarnings.set(pod, warnings);
}

function annotationOf(profile: AppArmorProfile | undefined): string {
  if (profile?.type === "Unconfined") return "unconfined";
  if (profile?.type === "RuntimeDefault") return "runtime/default";
  const local = profile?.type === "Localhost" ? (profile.localhostProfile ?? "") : "";
  return local === "" ? "" : `localhost/${local}`;
}

function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default" || annotation === "") return { type: "RuntimeDefault" };
  if (!annotation.startsWith("localhost/")) return undefined;
  const localhostProfile = annotation.slice("localhost/".length);
  return localhostProfile.trim() === "" ? undefined : { type: "Localhost", localhostProfile };
}

/** Kubelets report here; they may not give a Pod other owners. */
export const podStatusSubresource: SubresourceDefinition<Pod> = {
  verbs: ["get", "patch", "update"],
  strategy: {
    resetFields: ["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
    prepareForUpdate(pod, { old }) {
      pod.spec = old.spec;
      delete pod.metadata.deletionTimestamp;
      pod.metadata.ownerReferences = old.metadata.ownerReferences;
      pod.status ??= {};
      pod.status.qosClass ||= old.status?.qosClass;
      keepObservedGenerations(pod.status, old.status ?? {});
    },
    validateUpdate: (pod, context) => [
      ...validatePodStatusUpdate(pod, context.old, updateRules(context)),
    ],
    warnings: ({ status }) => [
      ...(status?.podIPs ?? []).flatMap(({ ip }, i) => ipWarnings(ip, `status.podIPs[${i}].ip`)),
      ...(status?.hostIPs ?? []).flatMap(({ ip }, i) => ipWarnings(ip, `status.hostIPs[${i}].ip`)),
    ],
  },
};

/** Clients that do not know `observedGeneration` do not clear it. */
function keepObservedGenerations(status: PodStatus, old: PodStatus): void {
  status.observedGeneration ||= old.observedGeneration;
  const generations = new Map<string, (number | undefined)[]>();
  for (const { type, observedGeneration } of old.conditions ?? []) {
    generations.set(type, [...(generations.get(type) ?? []), observedGeneration]);
  }
  for (const condition of status.conditions ?? []) {
    const before = generations.get(condition.type)?.shift();
    condition.observedGeneration ||= before;
  }
}

export const ephemeralContainersSubresource: SubresourceDefinition<Pod> = {
  verbs: ["get", "patch", "update"],
  strategy: {
    prepareForUpdate(pod, { old }) {
      const { ephemeralContainers } = pod.spec;
      pod.spec = { ...old.spec, ephemeralContainers };
      pod.status = old.status;
      keepMetadata(pod.metadata, old.metadata);
      bumpGeneration(pod, old);
    },
    validateUpdate: (pod, context) => [
      ...validateEphemeralContainersUpdate(pod, context.old, updateRules(context)),
    ],
  },
};

export const resizeSubresource: SubresourceDefinition<Pod> = {
  verbs: ["get", "patch", "update"],
  strategy: {
    prepareForUpdate(pod, { old, features }) {
      keepAllButResources(pod, old, features.enabled("InPlacePodLevelResourcesVerticalScaling"));
      bumpGeneration(pod, old);
    },
    validateUpdate: (pod, context) => [...validateResize(pod, context.old, updateRules(context))],
  },
};

/** Added or renamed containers stay as they are: validation refuses them. */
function keepAllButResources(pod: Pod, old: Pod, podLevel: boolean): void {
  const { containers, initContainers = [], resources } = pod.spec;
  const oldInit = old.spec.initContainers ?? [];
  if (
    containers.length !== old.spec.containers.length ||
    initContainers.length !== oldInit.length
  ) {
    return;
  }
  pod.spec = {
    ...old.spec,
    ...(podLevel && { resources }),
    containers: withResources(containers, old.spec.containers),
    initContainers: withResources(initContainers, oldInit),
  };
  pod.status = old.status;
  keepMetadata(pod.metadata, old.metadata);
}

function withResources(containers: Container[], old: readonly Container[]): Container[] {
  if (containers.some(({ name }, i) => name !== old[i]?.name)) return containers;
  return old.map((before, i) => ({
    ...before,
    resources: containers[i]?.resources,
    resizePolicy: containers[i]?.resizePolicy,
  }));
}

/** Subresources that change the spec count as generations, too. */
function bumpGeneration(pod: Pod, old: Pod): void {
  if (semanticEqual(pod.spec, old.spec)) return;
  pod.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

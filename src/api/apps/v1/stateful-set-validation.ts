import { validateClaimTemplate } from "#api/core/v1/persistent-volume-claim-validation.ts";
import type { PodRules } from "#api/core/v1/pod-rules.ts";
import type { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import {
  compiledSelector,
  validateCollisionCount,
  validateCounts,
  validateCountsWithin,
  validateSelectorPresent,
  validateWorkloadSelector,
  validateWorkloadTemplate,
} from "#api/core/v1/workload.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateDnsLabel,
  validateNonNegative,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { validateAnnotations, validateLabels } from "#apimachinery/validation/object-meta.ts";
import { checkDnsLabel } from "#apimachinery/validation/names.ts";
import { isZero, validateIntOrPercent, validateShare } from "./rolling-update-validation.ts";
import {
  RollingUpdateStatefulSetStrategy,
  type StatefulSet,
  type StatefulSetSpec,
  StatefulSetUpdateStrategy,
} from "./stateful-set.ts";

/** Source: pkg/apis/apps/validation/validation.go. */
export function checkStatefulSetName(name: string): string[] {
  return name.includes(".") ? ["must not contain dots"] : checkDnsLabel(name);
}

export function* validateStatefulSet({ spec }: StatefulSet, rules: PodRules): Findings {
  const { podManagementPolicy: policy = "" } = spec;
  if (policy === "") {
    yield required("spec.podManagementPolicy", "");
  } else if (policy !== "OrderedReady" && policy !== "Parallel") {
    const detail = "must be 'OrderedReady' or 'Parallel'";
    yield invalid("spec.podManagementPolicy", policy, detail);
  }
  yield* validateUpdateStrategy(spec.updateStrategy);
  yield* validateRetention(spec.persistentVolumeClaimRetentionPolicy);
  yield* validateNonNegative(spec.replicas, "spec.replicas");
  yield* validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds");
  yield* validateNonNegative(spec.ordinals?.start, "spec.ordinals.start");
  yield* validateSelectorPresent(spec.selector);
  yield* validateWorkloadSelector(spec.selector, "statefulset");
  const selector = compiledSelector(spec.selector);
  if (selector === undefined) {
    yield invalid("spec.selector", spec.selector, "");
  } else {
    const { metadata: meta } = spec.template;
    yield* validateWorkloadTemplate(withClaims(spec), { selector, rules, owner: "StatefulSet" });
    // Upstream looks at these once more.
    yield* validateLabels(meta.labels, "spec.template.labels");
    yield* validateAnnotations(meta.annotations, "spec.template.annotations");
  }
}

/** What only creates are asked. */
export function* validateNewStatefulSet(set: StatefulSet, rules: PodRules): Findings {
  yield* validateStatefulSet(set, rules);
  const { serviceName, volumeClaimTemplates: claims = [] } = set.spec;
  if (serviceName !== "") yield* validateDnsLabel(serviceName, "spec.serviceName");
  for (const [i, claim] of claims.entries()) {
    yield* validateClaimTemplate(claim, `spec.volumeClaimTemplates[${i}]`);
  }
}

/** Containers may mount the claims, which the template itself does not list. */
function withClaims({
  template,
  volumeClaimTemplates: claims = [],
}: StatefulSetSpec): PodTemplateSpec {
  const names = claims.map(({ metadata: meta }) => meta.name ?? "").filter((name) => name !== "");
  const own = (template.spec.volumes ?? []).filter(({ name }) => !names.includes(name));
  if (names.length === 0) return template;
  const volumes = [
    ...own,
    ...names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
  ];
  return { ...template, spec: { ...template.spec, volumes } };
}

function* validateUpdateStrategy(strategy: StatefulSetSpec["updateStrategy"] = {}): Findings {
  const { type = "", rollingUpdate: rolling } = strategy;
  const path = "spec.updateStrategy";
  if (type === "") {
    yield required(path, "");
  } else if (type === "OnDelete") {
    if (rolling === undefined) return;
    const value = internalValue(RollingUpdateStatefulSetStrategy, rolling);
    const detail = "only allowed for updateStrategy 'RollingUpdate'";
    yield invalid(`${path}.rollingUpdate`, value, detail);
  } else if (type === "RollingUpdate") {
    if (rolling === undefined) return;
    const at = `${path}.rollingUpdate`;
    yield* validateNonNegative(rolling.partition, `${at}.partition`);
    const { maxUnavailable } = rolling;
    if (maxUnavailable === undefined) return;
    yield* validateIntOrPercent(maxUnavailable, `${at}.maxUnavailable`);
    if (isZero(maxUnavailable))
      yield invalid(`${at}.maxUnavailable`, maxUnavailable, "cannot be 0");
    yield* validateShare(maxUnavailable, `${at}.maxUnavailable`);
  } else {
    const value = internalValue(StatefulSetUpdateStrategy, strategy);
    yield invalid(path, value, "must be 'RollingUpdate' or 'OnDelete'");
  }
}

const retentions = ["Retain", "Delete"];

function* validateRetention(
  policy: StatefulSetSpec["persistentVolumeClaimRetentionPolicy"],
): Findings {
  const path = "spec.persistentVolumeClaimRetentionPolicy";
  for (const name of ["whenDeleted", "whenScaled"] as const) {
    const value = policy?.[name] ?? "";
    if (policy !== undefined && !retentions.includes(value)) {
      yield notSupported(`${path}.${name}`, value, retentions);
    }
  }
}

const mutableFields = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;

export function* validateStatefulSetUpdate(
  set: StatefulSet,
  old: StatefulSet,
  rules: PodRules,
): Findings {
  yield* validateStatefulSet(set, rules);
  const fixed = { ...set.spec };
  for (const field of mutableFields) Object.assign(fixed, { [field]: old.spec[field] });
  if (semanticEqual(fixed, old.spec)) return;
  const names = mutableFields.map((field) => `'${field}'`);
  const listed = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  const detail = `updates to statefulset spec for fields other than ${listed} are forbidden`;
  yield forbidden("spec", detail);
}

export function* validateStatefulSetStatus({ status }: StatefulSet, old: StatefulSet): Findings {
  const counts = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
  yield* validateCounts(status, ["replicas", ...counts, "observedGeneration", "collisionCount"]);
  yield* validateCountsWithin(status, counts, { limit: "replicas" });
  yield* validateCountsWithin(status, ["availableReplicas"], { limit: "readyReplicas" });
  yield* validateCollisionCount(status, old.status);
}

import {
  claimSpecWarnings,
  defaultClaimSpec,
} from "#api/core/v1/persistent-volume-claim-strategy.ts";
import { defaultPodSpec } from "#api/core/v1/pod-defaults.ts";
import { templateRules } from "#api/core/v1/pod-rules.ts";
import { dropDisabledPodFields } from "#api/core/v1/pod-strategy.ts";
import { podTemplateWarnings } from "#api/core/v1/pod-warnings.ts";
import { revisionHistoryLimitDefault, templatePath } from "#api/core/v1/workload.ts";
import type { FeatureReader, Strategy } from "#apimachinery/resource.ts";
import type { StatefulSet } from "./stateful-set.ts";
import {
  checkStatefulSetName,
  validateNewStatefulSet,
  validateStatefulSetUpdate,
} from "./stateful-set-validation.ts";

function defaultStatefulSet({ spec }: StatefulSet): void {
  defaultPodSpec(spec.template.spec);
  spec.podManagementPolicy ||= "OrderedReady";
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && strategy.rollingUpdate !== undefined) {
    strategy.rollingUpdate.partition ??= 0;
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ||= "Retain";
  retention.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= revisionHistoryLimitDefault;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    Object.assign(claim, { apiVersion: "v1", kind: "PersistentVolumeClaim" });
    defaultClaimSpec(claim.spec);
    claim.status = { ...claim.status, phase: claim.status?.phase || "Pending" };
  }
}

export const statefulSetStrategy: Strategy<StatefulSet> = {
  generation: true,
  nameRule: checkStatefulSetName,
  default: defaultStatefulSet,
  prepareForCreate(set, { features }) {
    set.status = { replicas: 0, availableReplicas: 0 };
    dropDisabledFields(set, undefined, features);
  },
  prepareForUpdate(set, { old, features }) {
    set.status = old.status ?? { replicas: 0, availableReplicas: 0 };
    dropDisabledFields(set, old, features);
  },
  validate: (set, context) => [...validateNewStatefulSet(set, templateRules(context))],
  validateUpdate: (set, context) => [
    ...validateStatefulSetUpdate(
      set,
      context.old,
      templateRules(context, context.old.spec.template),
    ),
  ],
  warnings(set, { old }) {
    const { spec, metadata: meta } = set;
    const changed = old === undefined || meta.generation !== old.metadata.generation;
    const warnings = changed ? podTemplateWarnings(spec.template, templatePath) : [];
    for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
      if (changed)
        warnings.push(...claimSpecWarnings(claim.spec, `spec.volumeClaimTemplates[${i}].spec`));
    }
    if ((spec.revisionHistoryLimit ?? 0) < 0) {
      warnings.push(
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; " +
          "a value >= 0 is recommended",
      );
    }
    return warnings;
  },
};

function dropDisabledFields(
  { spec }: StatefulSet,
  old: StatefulSet | undefined,
  features: FeatureReader,
): void {
  dropDisabledPodFields(spec.template.spec, old?.spec.template.spec, features);
  const rolling = spec.updateStrategy?.rollingUpdate;
  const had = old?.spec.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined;
  if (rolling !== undefined && !had && !features.enabled("MaxUnavailableStatefulSet")) {
    delete rolling.maxUnavailable;
  }
}

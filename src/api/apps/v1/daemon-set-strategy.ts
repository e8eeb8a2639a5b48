import { defaultPodSpec } from "#api/core/v1/pod-defaults.ts";
import { templateRules } from "#api/core/v1/pod-rules.ts";
import { dropDisabledPodFields } from "#api/core/v1/pod-strategy.ts";
import { podTemplateWarnings } from "#api/core/v1/pod-warnings.ts";
import { revisionHistoryLimitDefault, templatePath } from "#api/core/v1/workload.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import type { DaemonSet } from "./daemon-set.ts";
import { validateDaemonSet, validateDaemonSetUpdate } from "./daemon-set-validation.ts";

/** Where v1 keeps what the first versions called `spec.templateGeneration`. */
export const templateGenerationAnnotation = "deprecated.daemonset.template.generation";

function defaultDaemonSet(set: DaemonSet): void {
  const { spec } = set;
  setTemplateGeneration(set, templateGenerationOf(set));
  defaultPodSpec(spec.template.spec);
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= revisionHistoryLimitDefault;
}

export const daemonSetStrategy: Strategy<DaemonSet> = {
  generation: true,
  default: defaultDaemonSet,
  prepareForCreate(set, { features }) {
    set.status = noneScheduled;
    setTemplateGeneration(set, Math.max(1, templateGenerationOf(set)));
    dropDisabledPodFields(set.spec.template.spec, undefined, features);
  },
  prepareForUpdate(set, { old, features }) {
    set.status = old.status;
    dropDisabledPodFields(set.spec.template.spec, old.spec.template.spec, features);
    const changed = !semanticEqual(set.spec.template, old.spec.template);
    setTemplateGeneration(set, templateGenerationOf(old) + (changed ? 1 : 0));
  },
  validate: (set, context) => [...validateDaemonSet(set, templateRules(context))],
  validateUpdate: (set, context) => [
    ...validateDaemonSetUpdate(set, context.old, templateRules(context, context.old.spec.template)),
  ],
  warnings(set, { old }) {
    if (old !== undefined && semanticEqual(set.spec.template, old.spec.template)) return [];
    return podTemplateWarnings(set.spec.template, templatePath);
  },
};

const noneScheduled = Object.freeze({
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
});

function templateGenerationOf({ metadata: { annotations } }: DaemonSet): number {
  const generation = Number(annotations?.[templateGenerationAnnotation] ?? 0);
  return Number.isSafeInteger(generation) ? generation : 0;
}

function setTemplateGeneration({ metadata: meta }: DaemonSet, generation: number): void {
  meta.annotations = { ...meta.annotations, [templateGenerationAnnotation]: `${generation}` };
}

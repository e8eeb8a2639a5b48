import { defaultPodSpec } from "#api/core/v1/pod-defaults.ts";
import { templateRules } from "#api/core/v1/pod-rules.ts";
import { dropDisabledPodFields } from "#api/core/v1/pod-strategy.ts";
import { podTemplateWarnings } from "#api/core/v1/pod-warnings.ts";
import {
  podNameWarnings,
  revisionHistoryLimitDefault,
  templatePath,
} from "#api/core/v1/workload.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import type { Deployment } from "./deployment.ts";
import { validateDeployment, validateDeploymentUpdate } from "./deployment-validation.ts";

/** Source: pkg/apis/apps/v1/defaults.go. */
const progressDeadlineSecondsDefault = 600;
const rollingShareDefault = "25%";

function defaultDeployment({ spec }: Deployment): void {
  defaultPodSpec(spec.template.spec);
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= rollingShareDefault;
    strategy.rollingUpdate.maxSurge ??= rollingShareDefault;
  }
  spec.revisionHistoryLimit ??= revisionHistoryLimitDefault;
  spec.progressDeadlineSeconds ??= progressDeadlineSecondsDefault;
}

export const deploymentStrategy: Strategy<Deployment> = {
  generation: true,
  default: defaultDeployment,
  prepareForCreate(deployment, { features }) {
    deployment.status = {};
    dropDisabledPodFields(deployment.spec.template.spec, undefined, features);
  },
  prepareForUpdate(deployment, { old, features }) {
    const { metadata: meta, spec } = deployment;
    deployment.status = old.status;
    dropDisabledPodFields(spec.template.spec, old.spec.template.spec, features);
    // The controller copies annotations to its ReplicaSets, so they count as well.
    const { metadata: oldMeta } = old;
    if (!semanticEqual(spec, old.spec) || !semanticEqual(meta.annotations, oldMeta.annotations)) {
      meta.generation = (oldMeta.generation ?? 0) + 1;
    }
  },
  validate: (deployment, context) => [...validateDeployment(deployment, templateRules(context))],
  validateUpdate: (deployment, context) => [
    ...validateDeploymentUpdate(
      deployment,
      context.old,
      templateRules(context, context.old.spec.template),
    ),
  ],
  warnings(deployment, { old }) {
    const { metadata: meta, spec } = deployment;
    if (old === undefined) {
      return [...podNameWarnings(meta.name), ...podTemplateWarnings(spec.template, templatePath)];
    }
    if (meta.generation === old.metadata.generation) return [];
    return podTemplateWarnings(spec.template, templatePath);
  },
};

import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { validatePodTemplateSpec } from "./pod-validation.ts";
import { podTemplateWarnings } from "./pod-warnings.ts";
import { templateRules } from "./pod-rules.ts";
import { dropDisabledPodFields } from "./pod-strategy.ts";
import { defaultPodSpec } from "./pod-defaults.ts";
import {
  column,
  containersText,
  imagesText,
  labelsText,
  nameColumn,
} from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, req } from "#apimachinery/schema.ts";
import { PodTemplateSpec } from "./pod-spec.ts";

export const PodTemplate = kind("io.k8s.api.core.v1.PodTemplate", {
  metadata,
  template: req(2, PodTemplateSpec, { required: false }),
});
export interface PodTemplate extends Infer<typeof PodTemplate> {}

export const podTemplates = defineResource<PodTemplate>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  scope: "Namespaced",
  schema: PodTemplate,
  strategy: {
    generation: true,
    deleteReturnsObject: true,
    default: ({ template }) => defaultPodSpec(template.spec),
    prepareForCreate({ template }, { features }) {
      dropDisabledPodFields(template.spec, undefined, features);
    },
    prepareForUpdate({ template }, { old, features }) {
      dropDisabledPodFields(template.spec, old.template.spec, features);
    },
    validate: ({ template }, context) => [
      ...validatePodTemplateSpec(template, "template", templateRules(context)),
    ],
    validateUpdate: ({ template }, context) => [
      ...validatePodTemplateSpec(
        template,
        "template",
        templateRules(context, context.old.template),
      ),
    ],
    warnings({ template }, { old }) {
      if (old !== undefined && semanticEqual(template, old.template)) return [];
      return podTemplateWarnings(template, "template");
    },
  },
  columns: [
    nameColumn,
    column("Containers", ({ template }) => containersText(template.spec.containers), { description: "Names of the containers." }),
    column("Images", ({ template }) => imagesText(template.spec.containers), { description: "Images of the containers." }),
    column("Pod Labels", ({ template }) => labelsText(template.metadata.labels), { description: "Labels that Pods get." }),
  ],
});

import { validateReference } from "./reference-validation.ts";
import { checkDomainPrefixedPath } from "#apimachinery/validation/syntax.ts";
import { forbidden, notSupported, required, tooLong } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsLabel,
  validateImmutable,
} from "#apimachinery/validation/checks.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const IngressClassParametersReference = struct(
  "io.k8s.api.networking.v1.IngressClassParametersReference",
  {
    apiGroup: ptr(1, string),
    kind: req(2, string),
    name: req(3, string),
    scope: ptr(4, string, { nullable: true }),
    namespace: ptr(5, string),
  },
);
export interface IngressClassParametersReference extends Infer<
  typeof IngressClassParametersReference
> {}

export const IngressClassSpec = struct("io.k8s.api.networking.v1.IngressClassSpec", {
  controller: opt(1, string),
  parameters: ptr(2, IngressClassParametersReference),
});
export interface IngressClassSpec extends Infer<typeof IngressClassSpec> {}

export const IngressClass = kind("io.k8s.api.networking.v1.IngressClass", {
  metadata,
  spec: req(2, IngressClassSpec, { required: false }),
});
export interface IngressClass extends Infer<typeof IngressClass> {}

export const ingressClasses = defineResource<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  scope: "Cluster",
  schema: IngressClass,
  strategy: {
    generation: true,
    default({ spec }) {
      if (spec.parameters !== undefined) spec.parameters.scope ??= "Cluster";
    },
    validate: (ingressClass) => [...validateIngressClass(ingressClass)],
    validateUpdate: (ingressClass, { old }) => [
      ...validateIngressClass(ingressClass),
      ...validateImmutable(ingressClass.spec.controller, old.spec.controller, "spec.controller"),
    ],
  },
  columns: [
    nameColumn,
    column("Controller", ({ spec }) => spec.controller ?? "", {
      description: "The controller that serves the class.",
    }),
    column("Parameters", parametersText, { description: "More settings for the controller." }),
    ageColumn,
  ],
});

const controllerMax = 250;

/** Source: pkg/apis/networking/validation/validation.go. */
function* validateIngressClass({ spec }: IngressClass): Findings {
  const { controller = "", parameters } = spec;
  if (controller === "") yield required("spec.controller", "");
  else {
    if (controller.length > controllerMax) yield tooLong("spec.controller", controllerMax);
    yield* invalidTexts("spec.controller", controller, checkDomainPrefixedPath(controller));
  }
  if (parameters === undefined) return;
  const path = "spec.parameters";
  yield* validateReference(parameters, path);
  const { scope, namespace } = parameters;
  if (scope === undefined) yield required(`${path}.scope`, "");
  else if (scope !== "Cluster" && scope !== "Namespace") {
    yield notSupported(`${path}.scope`, scope, ["Cluster", "Namespace"]);
  }
  if (scope === "Namespace") {
    const detail = "`parameters.scope` is set to 'Namespace'";
    if (!namespace) yield required(`${path}.namespace`, detail);
    else yield* validateDnsLabel(namespace, `${path}.namespace`);
  }
  if (scope === "Cluster" && namespace !== undefined) {
    yield forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'");
  }
}

/** `Kind.group/name`. */
function parametersText({ spec }: IngressClass): string {
  if (spec.parameters === undefined) return "<none>";
  const { kind: name, apiGroup, name: object } = spec.parameters;
  return `${name}${apiGroup ? `.${apiGroup}` : ""}/${object}`;
}

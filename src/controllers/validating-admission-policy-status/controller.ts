import {
  celSchemaOf,
  type CheckedKind,
  checkTypes,
  namedResources,
} from "#api/admissionregistration/type-checking.ts";
import {
  validatingAdmissionPolicies,
  type ValidatingAdmissionPolicySpec,
} from "#api/admissionregistration/v1/validating-admission-policy.ts";
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from "#api/apiextensions/v1/custom-resource-definition.ts";
import { resources } from "#api/registry.ts";
import type { CelSchema } from "#apimachinery/cel/schema.ts";
import { parseApiVersion } from "#apimachinery/object.ts";
import { defineController, done } from "../framework/controller.ts";

const manager = "validatingadmissionpolicy-status";

/**
 * Tells authors of policies, in `status.typeChecking`, which expressions read fields that the
 * matched kinds do not have. Source: pkg/controller/validatingadmissionpolicystatus.
 */
export const validatingAdmissionPolicyStatusController = defineController({
  name: "validatingadmissionpolicy-status-controller",
  for: validatingAdmissionPolicies,
  reads: [customResourceDefinitions],
  workers: 5,
  async reconcile(context) {
    const policy = context.get();
    if (policy === undefined) return done;
    const { name, generation = 0 } = policy.metadata ?? {};
    if ((policy.status?.observedGeneration ?? 0) >= generation && generation > 0) return done;
    const definitions = context.lister(customResourceDefinitions).list();
    const { kinds, params } = kindsOf(policy.spec, definitions);
    const expressionWarnings = checkTypes(policy.spec, kinds, params);
    const typeChecking = expressionWarnings.length === 0 ? {} : { expressionWarnings };
    await context.resource(validatingAdmissionPolicies).apply(
      {
        metadata: { name },
        status: { observedGeneration: generation, typeChecking },
      } as typeof policy,
      { fieldManager: manager, force: true, subresource: "status" },
    );
    return done;
  },
});

interface Kinds {
  readonly kinds: readonly CheckedKind[];
  readonly params: CelSchema | undefined;
}

/** The schemas that there are for what a policy names; what has none is not checked. */
export function kindsOf(
  spec: ValidatingAdmissionPolicySpec,
  definitions: readonly CustomResourceDefinition[],
): Kinds {
  const known = knownKinds(definitions);
  const kinds = namedResources(spec).flatMap(({ group, version, plural }) =>
    known.filter(
      (one) => one.gvk.group === group && one.gvk.version === version && one.plural === plural,
    ),
  );
  const { apiVersion = "", kind = "" } = spec.paramKind ?? {};
  const { group, version } = parseApiVersion(apiVersion);
  const params = known.find(
    ({ gvk }) => gvk.group === group && gvk.version === version && gvk.kind === kind,
  );
  return {
    kinds: kinds.map(({ gvk, schema }) => ({ gvk, schema: schema() })),
    params: params?.schema(),
  };
}

interface KnownKind {
  readonly gvk: CheckedKind["gvk"];
  readonly plural: string;
  readonly schema: () => CelSchema;
}

function knownKinds(definitions: readonly CustomResourceDefinition[]): KnownKind[] {
  const builtIn = resources.map(({ group, version, kind, plural, schema }) => ({
    gvk: { group, version, kind },
    plural,
    schema: () => celSchemaOf(schema),
  }));
  const custom = definitions.flatMap(({ spec }) =>
    spec.versions.flatMap(({ name, schema }) => {
      const structural = schema?.openAPIV3Schema as CelSchema | undefined;
      if (structural === undefined) return [];
      const gvk = { group: spec.group, version: name, kind: spec.names.kind };
      return [{ gvk, plural: spec.names.plural, schema: () => structural }];
    }),
  );
  return [...builtIn, ...custom];
}

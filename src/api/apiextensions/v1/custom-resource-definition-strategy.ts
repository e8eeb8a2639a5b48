import { semanticEqual } from "#apimachinery/deep-equal.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import type { CustomResourceDefinition } from "./custom-resource-definition.ts";
import { markForDeletion } from "./crd-deletion.ts";
import { unknownFormats } from "./crd-formats.ts";
import { validateDefinition, validateDefinitionUpdate } from "./custom-resource-definition-validation.ts";

const portDefault = 443;

/** Source: apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go. */
export const customResourceDefinitionStrategy: Strategy<CustomResourceDefinition> = {
  allowUnconditionalUpdate: false,
  plainFinalizers: true,
  beginDeletion: markForDeletion,
  default(definition) {
    const { names, conversion } = definition.spec;
    names.singular ||= names.kind.toLowerCase();
    if (names.kind !== "") names.listKind ||= `${names.kind}List`;
    if (conversion === undefined) definition.spec.conversion = { strategy: "None" };
    const service = conversion?.webhook?.clientConfig?.service;
    if (service !== undefined) service.port ??= portDefault;
  },
  prepareForCreate(definition) {
    definition.metadata.generation = 1;
    definition.status = {
      conditions: [],
      acceptedNames: { plural: "", kind: "" },
      storedVersions: storageVersions(definition),
    };
  },
  prepareForUpdate(definition, { old }) {
    definition.status = old.status;
    if (!semanticEqual(definition.spec, old.spec)) {
      definition.metadata.generation = (old.metadata.generation ?? 0) + 1;
    }
    const stored = old.status?.storedVersions ?? [];
    const added = storageVersions(definition).filter((name) => !stored.includes(name));
    if (old.status === undefined || added.length === 0) return;
    definition.status = { ...old.status, storedVersions: [...stored, ...added] };
  },
  validate: (definition) => [...validateDefinition(definition)],
  validateUpdate: (definition, { old }) => [...validateDefinitionUpdate(definition, old)],
  warnings(definition, { old }) {
    const before = new Set(old && unknownFormats(old));
    return unknownFormats(definition)
      .filter((format) => !before.has(format))
      .map((format) => `unrecognized format ${JSON.stringify(format)}`);
  },
};

function storageVersions({ spec }: CustomResourceDefinition): string[] {
  const version = spec.versions.find(({ storage }) => storage);
  return version === undefined ? [] : [version.name];
}

import type { Strategy, SubresourceDefinition } from "#apimachinery/resource.ts";
import { isKnownFormat } from "#apimachinery/structural/formats.ts";
import type { Structural } from "#apimachinery/structural/structural.ts";
import { statusSubresource } from "../../strategies.ts";
import { markForDeletion } from "./crd-deletion.ts";
import { validateCrd, validateCrdStatusUpdate, validateCrdUpdate } from "./crd-validation.ts";
import type { CustomResourceDefinition } from "./custom-resource-definition.ts";

/** Source: apiextensions-apiserver pkg/registry/customresourcedefinition/strategy.go. */
export const crdStrategy: Strategy<CustomResourceDefinition> = {
  generation: true,
  allowUnconditionalUpdate: false,
  deleteReturnsObject: true,
  default: setDefaults,
  beginDeletion: markForDeletion,
  prepareForCreate(crd) {
    delete crd.status;
    storeVersions(crd);
  },
  prepareForUpdate(crd, { old }) {
    crd.status = old.status;
    storeVersions(crd);
  },
  validate: validateCrd,
  validateUpdate: (crd, { old }) => validateCrdUpdate(crd, old),
  warnings(crd, { old }) {
    const before = new Set(old && unknownFormats(old));
    return unknownFormats(crd)
      .filter((format) => !before.has(format))
      .map((format) => `unrecognized format ${JSON.stringify(format)}`);
  },
};

export const crdStatus: SubresourceDefinition<CustomResourceDefinition> = statusSubresource({
  prepare(crd, { old }) {
    // The controller that ends instances gives up its finalizer through this door.
    const { metadata } = crd;
    crd.metadata = { ...old.metadata, ...metadata, labels: old.metadata.labels, annotations: old.metadata.annotations };
  },
  validate: (crd, { old }) => validateCrdStatusUpdate(crd, old),
});

function setDefaults(crd: CustomResourceDefinition): void {
  const { names, versions } = crd.spec;
  if (!names.singular && names.kind !== "") names.singular = names.kind.toLowerCase();
  if (!names.listKind && names.kind !== "") names.listKind = `${names.kind}List`;
  crd.spec.conversion ??= { strategy: "None" };
  const service = crd.spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
  const storage = versions.find((version) => version.storage);
  if ((crd.status?.storedVersions ?? []).length > 0 || storage === undefined) return;
  crd.status = { ...emptyStatus(), ...crd.status, storedVersions: [storage.name] };
}

type Status = NonNullable<CustomResourceDefinition["status"]>;

function emptyStatus(): Status {
  return { conditions: [], acceptedNames: { plural: "", kind: "" }, storedVersions: [] };
}

/** The storage version is among those that objects may be stored in. */
function storeVersions(crd: CustomResourceDefinition): void {
  const storage = crd.spec.versions.find((version) => version.storage)?.name;
  const status = { ...emptyStatus(), ...crd.status };
  const missing = storage !== undefined && !status.storedVersions.includes(storage);
  crd.status = { ...status, storedVersions: missing ? [...status.storedVersions, storage] : status.storedVersions };
}

function unknownFormats({ spec }: CustomResourceDefinition): string[] {
  const found = new Set<string>();
  for (const { schema } of spec.versions) collectFormats(schema?.openAPIV3Schema as Structural | undefined, found);
  return [...found].sort();
}

function collectFormats(schema: Structural | undefined, found: Set<string>): void {
  if (schema === undefined) return;
  if (!isKnownFormat(schema)) found.add(schema.format ?? "");
  const { items, additionalProperties, properties = {} } = schema;
  if (items !== undefined) for (const one of [items].flat()) collectFormats(one as Structural, found);
  if (typeof additionalProperties === "object") collectFormats(additionalProperties, found);
  for (const property of Object.values(properties)) collectFormats(property, found);
  for (const branch of [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    collectFormats(branch, found);
  }
}

import { Scale } from "#api/autoscaling/v1/scale.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from "#api/apiextensions/v1/custom-resource-definition.ts";
import type { Clock } from "#base/clock.ts";
import { goText } from "#apimachinery/go-format.ts";
import { compileFieldPath } from "#apimachinery/jsonpath.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import {
  defineResource,
  type Reader,
  type ResourceDefinition,
  type ScalePaths,
  type SubresourceDefinition,
  type Verb,
} from "#apimachinery/resource.ts";
import { kind } from "#apimachinery/schema.ts";
import type { Structural } from "#apimachinery/structural/structural.ts";
import { compareVersions } from "../discovery/groups.ts";
import { setCodec } from "../storage/codec.ts";
import { isConditionTrue } from "./conditions.ts";
import { createCustomCodec, type CustomSchemas, renamed } from "./custom-codec.ts";
import { customColumns } from "./custom-columns.ts";
import { createWebhookConverter, type ObjectConverter, type WebhookConversionOptions } from "./webhook-conversion.ts";
import { customStatusStrategy, customStrategy, type CustomTraits } from "./custom-strategy.ts";

/** What Go knows of custom resources: nothing but metadata. */
const CustomObject = kind("io.k8s.apimachinery.pkg.apis.meta.v1.unstructured.Unstructured", { metadata });

/** In the order that discovery shows for them. */
const customVerbs: readonly Verb[] = [
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "create",
  "update",
  "watch",
];
const viewVerbs: readonly Verb[] = ["get", "patch", "update"];

/** What custom resources are served with. */
export interface CustomOptions extends WebhookConversionOptions {
  readonly clock: Clock;
}

/**
 * The served versions of an established definition, as resources like all others. They read schemas
 * of the definition that `current` gives, which serves the same as the first, and keep none.
 */
export function resourcesOfCustom(current: () => CustomResourceDefinition, options: CustomOptions): ResourceDefinition[] {
  const crd = current();
  const isPlain = crd.spec.conversion?.strategy !== "Webhook";
  const converter = isPlain ? undefined : createWebhookConverter(crd, options);
  const traits = { converter, clock: options.clock };
  return crd.spec.versions.filter(({ served }) => served).map((version) => resourceOf(current, version, traits));
}

function resourceOf(
  current: () => CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  { converter, clock }: { readonly converter: ObjectConverter | undefined; readonly clock: Clock },
): ResourceDefinition {
  const crd = current();
  const { spec, status } = crd;
  const names = { ...spec.names, ...status?.acceptedNames };
  const schemas = schemasOf(current, version.name, converter);
  const ownSchema = schemas.schemaOf.bind(undefined, version.name);
  const scale = scaleOf(version);
  const traits: CustomTraits = {
    group: spec.group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    terminating: isConditionTrue(crd, "Terminating"),
    schema: ownSchema,
    clock,
    hasStatus: version.subresources?.status !== undefined,
    scale,
  };
  const definition = defineResource<KubeObject>({
    group: spec.group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind || `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? "",
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope: spec.scope === "Namespaced" ? "Namespaced" : "Cluster",
    schema: CustomObject,
    verbs: customVerbs,
    storage: { prefix: `${spec.group}/${names.plural}`, version: schemas.storageVersion },
    columns: customColumns(version.additionalPrinterColumns),
    fieldSelectors: fieldSelectorsOf(version),
    subresources: subresourcesOf(traits),
    strategy: customStrategy(traits),
    custom: {
      preserveUnknownFields: schemas.preserveUnknownFields,
      terminating: traits.terminating,
      get structural() {
        return ownSchema();
      },
      convert: (object, apiVersion) =>
        schemas.converter === undefined ? { ...object, apiVersion } : renamed(schemas, object, apiVersion),
    },
    ...deprecationOf(crd, version),
  });
  setCodec(definition, createCustomCodec(schemas));
  return definition;
}

function schemasOf(
  current: () => CustomResourceDefinition,
  version: string,
  converter: ObjectConverter | undefined,
): CustomSchemas {
  const { spec, status } = current();
  return {
    group: spec.group,
    kind: status?.acceptedNames?.kind || spec.names.kind,
    version,
    storageVersion: spec.versions.find(({ storage }) => storage)?.name ?? "",
    preserveUnknownFields: spec.preserveUnknownFields === true,
    converter,
    schemaOf: (name) =>
      current().spec.versions.find((one) => one.name === name)?.schema?.openAPIV3Schema as Structural | undefined,
  };
}

function scaleOf({ subresources }: CustomResourceDefinitionVersion): ScalePaths | undefined {
  const scale = subresources?.scale;
  if (scale === undefined) return undefined;
  return {
    specReplicas: scale.specReplicasPath,
    statusReplicas: scale.statusReplicasPath,
    ...(scale.labelSelectorPath !== undefined && { selector: scale.labelSelectorPath }),
  };
}

function subresourcesOf(traits: CustomTraits): Record<string, SubresourceDefinition<KubeObject>> {
  return {
    ...(traits.hasStatus && { status: { verbs: viewVerbs, strategy: customStatusStrategy(traits) } }),
    ...(traits.scale && {
      scale: {
        verbs: viewVerbs,
        kind: { group: "autoscaling", version: "v1", kind: "Scale" },
        schema: Scale,
        scale: traits.scale,
      },
    }),
  };
}

function fieldSelectorsOf({
  selectableFields = [],
}: CustomResourceDefinitionVersion): Record<string, Reader<KubeObject, string>> {
  const readers = selectableFields.map(({ jsonPath }) => {
    let read: ((value: unknown) => unknown) | undefined;
    const reader = (object: KubeObject): string => {
      read ??= compileFieldPath(jsonPath);
      const value = read(object);
      return value === undefined || value === null ? "" : goText(value);
    };
    return [jsonPath.replace(/^\./, ""), reader] as const;
  });
  return Object.fromEntries(readers);
}

function deprecationOf(
  { spec }: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): { deprecation?: string } {
  if (version.deprecated !== true) return {};
  if (version.deprecationWarning !== undefined) return { deprecation: version.deprecationWarning };
  const newer = spec.versions
    .filter((one) => one.served && one.deprecated !== true && compareVersions(version.name, one.name) < 0)
    .map(({ name }) => name)
    .sort(compareVersions);
  const { group, names } = spec;
  const use = newer.length === 0 ? "" : `; use ${group}/${newer.at(-1)} ${names.kind}`;
  return { deprecation: `${group}/${version.name} ${names.kind} is deprecated${use}` };
}

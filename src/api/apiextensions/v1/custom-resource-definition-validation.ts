import { approvalAnnotation, approvalOf, isProtectedGroup } from "./api-approval.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import { isGivenEmpty } from "#apimachinery/given-empty.ts";
import { type Findings, validateImmutable } from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { checkDns1035Label, checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateClientConfig, validateReviewVersions } from "#apimachinery/validation/webhook.ts";
import {
  type CustomResourceDefinition,
  type CustomResourceDefinitionNames,
  type CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from "./custom-resource-definition.ts";
import { validateOpenApiSchema, validateSelectableFields } from "./custom-resource-schema-validation.ts";
import { ratchetFindings } from "./custom-resource-definition-ratchet.ts";
import { internalSchema } from "./internal-schema.ts";
import { validateColumns, validateDeprecation, validateScale } from "./custom-resource-version-validation.ts";

/**
 * All but the OpenAPI schemas of versions. Source: apiextensions-apiserver
 * pkg/apis/apiextensions/validation/validation.go.
 */
export function* validateDefinition(definition: CustomResourceDefinition): Findings {
  const { metadata: meta, spec } = definition;
  if (meta.name !== `${spec.names.plural}.${spec.group}`) {
    yield invalid("metadata.name", meta.name ?? "", 'must be spec.names.plural+"."+spec.group');
  }
  yield* validateSpec(spec, {});
  yield* validateDefinitionStatus(definition);
  yield* validateStoredVersions(definition);
  yield* validateApproval(definition);
  if (spec.preserveUnknownFields === true) {
    const detail =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in " + "spec.versions[*].schema instead";
    yield invalid("spec.preserveUnknownFields", true, detail);
  }
}

export function* validateDefinitionUpdate(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition,
): Findings {
  const { spec } = definition;
  const established = (old.status?.conditions ?? []).some(
    ({ type, status }) => type === "Established" && status === "True",
  );
  const checks = { readableRoots: established };
  const found = [...validateSpec(spec, checks)];
  yield* ratchetFindings(found, { definition, old, oldFindings: () => [...validateSpec(old.spec, checks)] });
  if (established) {
    yield* validateImmutable(spec.scope, old.spec.scope, "spec.scope");
    yield* validateImmutable(spec.names.kind, old.spec.names.kind, "spec.names.kind");
  }
  yield* validateImmutable(spec.group, old.spec.group, "spec.group");
  yield* validateImmutable(spec.names.plural, old.spec.names.plural, "spec.names.plural");
  yield* validateDefinitionStatus(definition);
  yield* validateStoredVersions(definition);
  const approvals = [definition, old].map(({ metadata }) => approvalOf(metadata.annotations).reason);
  if (approvals[0] !== approvals[1]) yield* validateApproval(definition);
  if (spec.preserveUnknownFields === true && old.spec.preserveUnknownFields !== true) {
    const detail =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in " + "spec.versions[*].schema instead";
    yield invalid("spec.preserveUnknownFields", true, detail);
  }
}

/** One finding for all that is wrong with a label, as upstream joins them. */
function* validateLabel(text: string, path: string, lead = ""): Findings {
  const checked = lead === "" ? text : text.toLowerCase();
  const texts = checkDns1035Label(checked);
  if (texts.length > 0) yield invalid(path, text, lead + texts.join(","));
}

interface SpecChecks {
  /** Whether the roots of a webhook must be certificates: not before anybody is served. */
  readonly readableRoots?: boolean;
}

function* validateSpec(spec: CustomResourceDefinitionSpec, { readableRoots = false }: SpecChecks): Findings {
  const { group, scope, versions, names } = spec;
  if (group === "") yield required("spec.group", "");
  else {
    const texts = checkDnsSubdomain(group);
    if (texts.length > 0) yield invalid("spec.group", group, texts.join(","));
    else if (!group.includes(".")) {
      yield invalid("spec.group", group, "should be a domain with at least one dot");
    }
  }
  if (scope === "") yield required("spec.scope", "");
  else if (scope !== "Cluster" && scope !== "Namespaced") {
    yield notSupported("spec.scope", scope, ["Cluster", "Namespaced"]);
  }
  for (const [i, { schema }] of versions.entries()) {
    if (schema?.openAPIV3Schema === undefined) {
      yield required(`spec.versions[${i}].schema.openAPIV3Schema`, "");
    }
  }
  yield* validateVersions(spec);
  for (const field of ["plural", "singular", "kind", "listKind"] as const) {
    if (!names[field]) yield required(`spec.names.${field}`, "");
  }
  yield* validateNames(names, "spec.names");
  yield* validateShared(spec);
  yield* validateConversion(spec);
  const roots = spec.conversion?.webhook?.clientConfig?.caBundle;
  if (readableRoots && spec.conversion?.strategy === "Webhook" && roots) yield* validateRoots(roots);
}

function* validateRoots(bundle: string): Findings {
  if (Buffer.from(bundle, "base64").includes("-----BEGIN CERTIFICATE-----")) return;
  const detail = "unable to load root certificates: unable to parse bytes as PEM block";
  yield invalid("spec.conversion.webhookClientConfig.caBundle", bundle, detail);
}

type Version = CustomResourceDefinitionVersion;

/** What all versions have in common is shown as a field of the spec, where it once was. */
function isShared(versions: readonly Version[], field: keyof Version): boolean {
  const [first] = versions;
  return versions.every((version) => semanticEqual(version[field], first?.[field]));
}

const hoistable = ["schema", "subresources", "additionalPrinterColumns", "selectableFields"] as const;

function* validateVersions({ versions }: CustomResourceDefinitionSpec): Findings {
  const path = "spec.versions";
  for (const [i, version] of versions.entries()) {
    const at = `${path}[${i}]`;
    yield* validateLabel(version.name, `${at}.name`);
    yield* validateDeprecation(version, `${at}.deprecationWarning`);
    if (!isShared(versions, "schema")) {
      const hasStatus = version.subresources?.status !== undefined;
      yield* validateOpenApiSchema(version.schema?.openAPIV3Schema, {
        path: `${at}.schema`,
        hasStatus,
      });
    }
    if (!isShared(versions, "subresources")) yield* validateScale(version.subresources, `${at}.subresources`);
    if (!isShared(versions, "additionalPrinterColumns")) {
      yield* validateColumns(version.additionalPrinterColumns, `${at}.additionalPrinterColumns`);
    }
    if (!isShared(versions, "selectableFields")) {
      const schema = version.schema?.openAPIV3Schema;
      yield* validateSelectableFields(version.selectableFields, schema, `${at}.selectableFields`);
    }
  }
  const names = new Set(versions.map(({ name }) => name));
  if (names.size < versions.length) {
    yield invalid(path, shownVersions(versions), "must contain unique version names");
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const detail = "must have exactly one version marked as storage version";
    yield invalid(path, shownVersions(versions), detail);
  }
  const [first] = versions;
  if (first !== undefined) yield* validateLabel(first.name, "spec.version");
}

function shownVersions(versions: readonly Version[]): unknown {
  const shared = hoistable.filter((field) => isShared(versions, field));
  if (versions.length === 0) return isGivenEmpty(versions) ? [] : null;
  return versions.map((version) => {
    const own = { ...version };
    for (const field of shared) delete own[field];
    const shown = internalValue(CustomResourceDefinitionVersion, own);
    const schema = own.schema?.openAPIV3Schema;
    if (schema === undefined) return shown;
    return { ...(shown as object), Schema: { OpenAPIV3Schema: internalSchema(schema) } };
  });
}

function* validateShared({ versions }: CustomResourceDefinitionSpec): Findings {
  const [first] = versions;
  if (first === undefined) return;
  const schema = first.schema?.openAPIV3Schema;
  if (isShared(versions, "schema")) {
    const hasStatus = versions.some(({ subresources }) => subresources?.status !== undefined);
    yield* validateOpenApiSchema(schema, { path: "spec.validation", hasStatus });
  }
  if (isShared(versions, "subresources")) yield* validateScale(first.subresources, "spec.subresources");
  if (isShared(versions, "additionalPrinterColumns")) {
    yield* validateColumns(first.additionalPrinterColumns, "spec.additionalPrinterColumns");
  }
  if (isShared(versions, "selectableFields")) {
    yield* validateSelectableFields(first.selectableFields, schema, "spec.selectableFields");
  }
}

function* validateNames(names: CustomResourceDefinitionNames, path: string): Findings {
  const { plural, singular = "", kind, listKind = "", shortNames = [], categories = [] } = names;
  const lead = "may have mixed case, but should otherwise match: ";
  if (plural !== "") yield* validateLabel(plural, `${path}.plural`);
  if (singular !== "") yield* validateLabel(singular, `${path}.singular`);
  if (kind !== "") yield* validateLabel(kind, `${path}.kind`, lead);
  if (listKind !== "") yield* validateLabel(listKind, `${path}.listKind`, lead);
  for (const [i, name] of shortNames.entries()) yield* validateLabel(name, `${path}.shortNames[${i}]`);
  if (kind !== "" && kind === listKind) {
    yield invalid(`${path}.listKind`, listKind, "kind and listKind may not be the same");
  }
  for (const [i, name] of categories.entries()) yield* validateLabel(name, `${path}.categories[${i}]`);
}

function* validateConversion({ conversion }: CustomResourceDefinitionSpec): Findings {
  if (conversion === undefined) return;
  const path = "spec.conversion";
  const { strategy, webhook } = conversion;
  if (strategy === "") yield required(`${path}.strategy`, "");
  else if (strategy !== "None" && strategy !== "Webhook") {
    yield notSupported(`${path}.strategy`, strategy, ["None", "Webhook"]);
  }
  // The internal type has the parts of `webhook` directly below `conversion`.
  const [client, reviews] = [`${path}.webhookClientConfig`, `${path}.conversionReviewVersions`];
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy === "Webhook") {
    if (webhook?.clientConfig === undefined) {
      yield required(client, "required when strategy is set to Webhook");
    } else {
      yield* validateClientConfig(webhook.clientConfig, client);
    }
    yield* validateReviewVersions(versions, reviews, "");
    return;
  }
  const detail = "should not be set when strategy is not set to Webhook";
  if (webhook?.clientConfig !== undefined) yield forbidden(client, detail);
  if (versions.length > 0) yield forbidden(reviews, detail);
}

export function* validateDefinitionStatus({ status }: CustomResourceDefinition): Findings {
  if (status?.acceptedNames !== undefined) yield* validateNames(status.acceptedNames, "status.acceptedNames");
}

function* validateStoredVersions({ spec, status }: CustomResourceDefinition): Findings {
  const path = "status.storedVersions";
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) {
    yield invalid(path, null, "must have at least one stored version");
    return;
  }
  for (const { name, storage } of spec.versions) {
    if (storage && !stored.includes(name)) {
      yield invalid(path, stored, `must have the storage version ${name}`);
    }
  }
  for (const [i, name] of stored.entries()) {
    if (spec.versions.some((version) => version.name === name)) continue;
    const detail =
      `missing from spec.versions; ${name} was previously a storage version, and must remain in ` +
      `spec.versions until a storage migration ensures no data remains persisted in ${name} and ` +
      `removes ${name} from status.storedVersions`;
    yield invalid(`${path}[${i}]`, name, detail);
  }
}

/** Groups of the community need an approval. */
function* validateApproval(definition: CustomResourceDefinition): Findings {
  const { group } = definition.spec;
  if (!isProtectedGroup(group)) return;
  const { annotations } = definition.metadata;
  const { reason, message } = approvalOf(annotations);
  const path = `metadata.annotations[${approvalAnnotation}]`;
  if (reason === "MissingAnnotation") yield required(path, message);
  if (reason === "InvalidAnnotation") yield invalid(path, annotations?.[approvalAnnotation], message);
}

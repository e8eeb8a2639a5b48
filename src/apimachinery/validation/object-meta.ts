import { type FieldError, forbidden, invalid, required, tooLong } from "../field-error.ts";
import { compareBytes } from "../maps.ts";
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../object.ts";
import { parseApiVersion } from "../object.ts";
import type { NameRule } from "../resource.ts";
import { checkDnsLabel, checkLabelValue, checkName, checkQualifiedName } from "./names.ts";

/** Sum of keys and values, bytes. */
export const annotationsBytesMax = 256 * 1024;
export const fieldManagerLengthMax = 128;
export const subresourceNameLengthMax = 256;

interface MetaRules {
  readonly namespaced: boolean;
  readonly nameRule?: NameRule | undefined;
  /** Custom resources may have finalizers without a domain. Default false. */
  readonly plainFinalizers?: boolean;
}

/** Checks metadata of any object. Source: apimachinery/pkg/api/validation/objectmeta.go. */
export function validateObjectMeta(
  meta: ObjectMeta,
  rules: MetaRules,
  path = "metadata",
): FieldError[] {
  const errors: FieldError[] = [];
  const { generateName = "", name = "" } = meta;
  if (generateName !== "") {
    for (const text of checkName(rules.nameRule, generateName, true)) {
      errors.push(invalid(`${path}.generateName`, generateName, text));
    }
  }
  if (name === "") errors.push(required(`${path}.name`, "name or generateName is required"));
  else {
    for (const text of checkName(rules.nameRule, name, false)) {
      errors.push(invalid(`${path}.name`, name, text));
    }
  }
  errors.push(...validateNamespaceField(meta.namespace ?? "", rules.namespaced, path));
  if ((meta.generation ?? 0) < 0) {
    errors.push(
      invalid(`${path}.generation`, meta.generation, "must be greater than or equal to 0"),
    );
  }
  errors.push(
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`),
    ...validateManagedFields(meta.managedFields ?? [], `${path}.managedFields`),
  );
  if (rules.plainFinalizers !== true) {
    errors.push(...validateKubeFinalizers(meta.finalizers ?? [], `${path}.finalizers`));
  }
  return errors;
}

const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

/** Built-in kinds take finalizers with a domain, and a few of old. */
function validateKubeFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  return finalizers.flatMap((finalizer, i) => validateKubeFinalizer(finalizer, `${path}[${i}]`));
}

export function validateKubeFinalizer(finalizer: string, path: string): FieldError[] {
  if (finalizer.includes("/") || standardFinalizers.includes(finalizer)) return [];
  const detail = "name is neither a standard finalizer name nor is it fully qualified";
  return [invalid(path, finalizer, detail)];
}

function validateNamespaceField(
  namespace: string,
  namespaced: boolean,
  path: string,
): FieldError[] {
  if (!namespaced) {
    return namespace === "" ? [] : [forbidden(`${path}.namespace`, "not allowed on this type")];
  }
  if (namespace === "") return [required(`${path}.namespace`, "")];
  return checkDnsLabel(namespace).map((text) => invalid(`${path}.namespace`, namespace, text));
}

/** Checks what an update may not change in metadata. */
export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  path = "metadata",
): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    errors.push(
      ...validateNoNewFinalizers(meta.finalizers ?? [], old.finalizers ?? [], `${path}.finalizers`),
    );
  }
  if (!meta.resourceVersion) {
    errors.push(
      invalid(
        `${path}.resourceVersion`,
        meta.resourceVersion ?? "",
        "must be specified for an update",
      ),
    );
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(`${path}.generation`, meta.generation ?? 0, "must not be decremented"));
  }
  for (const field of immutableMeta) {
    if ((meta[field] ?? "") !== (old[field] ?? "")) {
      errors.push(
        invalid(`${path}.${field}`, meta[field] ?? immutableZero(field), "field is immutable"),
      );
    }
  }
  errors.push(
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateManagedFields(meta.managedFields ?? [], `${path}.managedFields`),
  );
  return errors;
}

const immutableMeta = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** What Go prints for an unset value: strings are empty, pointers and times null. */
function immutableZero(field: (typeof immutableMeta)[number]): string | null {
  return field === "name" || field === "namespace" || field === "uid" ? "" : null;
}

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of sorted(labels)) {
    for (const text of checkQualifiedName(key)) errors.push(invalid(path, key, text));
    for (const text of checkLabelValue(value)) errors.push(invalid(path, value, text));
  }
  return errors;
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let sizeBytes = 0;
  for (const [key, value] of sorted(annotations)) {
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    for (const text of checkQualifiedName(key.toLowerCase())) errors.push(invalid(path, key, text));
  }
  if (sizeBytes > annotationsBytesMax) errors.push(tooLong(path, annotationsBytesMax));
  return errors;
}

function sorted(map: Readonly<Record<string, string>> | undefined): [string, string][] {
  return Object.entries(map ?? {}).sort(([a], [b]) => compareBytes(a, b));
}

function validateOwnerReferences(owners: readonly OwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller = "";
  for (const owner of owners) {
    errors.push(...validateOwnerReference(owner, path));
    if (owner.controller !== true) continue;
    const current = `${owner.kind}/${owner.name}`;
    if (controller === "") controller = current;
    else {
      const detail =
        'Only one reference can have Controller set to true. Found "true" in references for ' +
        `${controller} and ${current}`;
      errors.push(invalid(path, owners, detail));
    }
  }
  return errors;
}

function validateOwnerReference(owner: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const parsed = owner.apiVersion.split("/").length > 2 ? "" : owner.apiVersion;
  const { group, version } = parseApiVersion(parsed);
  if (version === "")
    errors.push(invalid(`${path}.apiVersion`, owner.apiVersion, "version must not be empty"));
  for (const field of ["kind", "name", "uid"] as const) {
    if (!owner[field]) errors.push(invalid(`${path}.${field}`, owner[field], "must not be empty"));
  }
  if (group === "" && version === "v1" && owner.kind === "Event") {
    errors.push(invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((finalizer) =>
    checkQualifiedName(finalizer).map((text) => invalid(path, finalizer, text)),
  );
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    const detail = "finalizer orphan and foregroundDeletion cannot be both set";
    errors.push(invalid(path, finalizers, detail));
  }
  return errors;
}

function validateNoNewFinalizers(
  finalizers: readonly string[],
  old: readonly string[],
  path: string,
): FieldError[] {
  const added = finalizers.filter((finalizer) => !old.includes(finalizer)).sort(compareBytes);
  if (added.length === 0) return [];
  const shown = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
  const detail =
    "no new finalizers can be added if the object is being deleted, " +
    `found new finalizers []string{${shown}}`;
  return [forbidden(path, detail)];
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[], path: string): FieldError[] {
  return entries.flatMap((entry, i) => {
    const at = `${path}[${i}]`;
    const errors: FieldError[] = [];
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      errors.push(invalid(`${at}.operation`, entry.operation ?? "", "must be `Apply` or `Update`"));
    }
    if (entry.fieldsType && entry.fieldsType !== "FieldsV1") {
      errors.push(invalid(`${at}.fieldsType`, entry.fieldsType, "must be `FieldsV1`"));
    }
    errors.push(...validateFieldManager(entry.manager ?? "", `${at}.manager`));
    if (Buffer.byteLength(entry.subresource ?? "") > subresourceNameLengthMax) {
      errors.push(tooLong(`${at}.subresource`, subresourceNameLengthMax));
    }
    return errors;
  });
}

export function validateFieldManager(manager: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > fieldManagerLengthMax)
    errors.push(tooLong(path, fieldManagerLengthMax));
  let offset = 0;
  for (const char of manager) {
    if (/[\p{C}\p{Z}]/u.test(char) && char !== " ") {
      errors.push(
        invalid(path, manager, `invalid character ${goRune(char)} (at position ${offset})`),
      );
    }
    offset += Buffer.byteLength(char);
  }
  return errors;
}

/** Go's `%#U`: `U+000A`, with the character itself when it can be printed. */
function goRune(char: string): string {
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `U+${code}`;
}

import type { SubjectAccessReview } from "#api/authorization/v1/subject-access-review.ts";
import { type FieldError, forbidden, invalid, required } from "#apimachinery/field-error.ts";
import type { ObjectMeta } from "#apimachinery/object.ts";
import { invalidStatus } from "#apimachinery/status.ts";

type ReviewSpec = NonNullable<SubjectAccessReview["spec"]>;
type ResourceAttributes = NonNullable<ReviewSpec["resourceAttributes"]>;
type SelectorAttributes = NonNullable<ResourceAttributes["labelSelector"]> | NonNullable<ResourceAttributes["fieldSelector"]>;

export interface ReviewedReview {
  readonly metadata?: ObjectMeta | undefined;
  readonly spec?: ReviewSpec | undefined;
}

/** Source: pkg/apis/authorization/validation. Errors: Invalid. */
export function refuseInvalidReview(
  review: ReviewedReview,
  of: { readonly named: boolean; readonly namespace?: string },
): void {
  const { metadata = {}, spec = {} } = review;
  const errors: FieldError[] = [
    ...attributeErrors(spec),
    ...(of.named && !spec.user && (spec.groups?.length ?? 0) === 0
      ? [invalid("spec.user", spec.user ?? "", "at least one of user or group must be specified")]
      : []),
    ...metadataErrors(metadata, of.namespace !== undefined),
    ...(of.namespace === undefined ? [] : localErrors(spec, of.namespace)),
  ];
  if (errors.length > 0) throw invalidStatus({ group: "authorization.k8s.io", kind: "" }, "", errors);
}

function attributeErrors({ resourceAttributes: resource, nonResourceAttributes: path }: ReviewSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (resource !== undefined && path !== undefined) {
    const detail = "cannot be specified in combination with resourceAttributes";
    errors.push(invalid("spec.nonResourceAttributes", goPath(path), detail));
  }
  if (resource === undefined && path === undefined) {
    const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    errors.push(invalid("spec.resourceAttributes", null, detail));
  }
  if (resource?.fieldSelector) {
    errors.push(...selectorErrors("spec.resourceAttributes.fieldSelector", resource.fieldSelector));
  }
  if (resource?.labelSelector) {
    errors.push(...selectorErrors("spec.resourceAttributes.labelSelector", resource.labelSelector));
  }
  return errors;
}

/** The internal type has no JSON names. */
function goPath({ path = "", verb = "" }: { path?: string | undefined; verb?: string | undefined }): object {
  return { Path: path, Verb: verb };
}

function selectorErrors(at: string, { rawSelector = "", requirements = [] }: SelectorAttributes): FieldError[] {
  const errors: FieldError[] = [];
  if (rawSelector !== "" && requirements.length > 0) {
    const detail = "may not specified at the same time as requirements";
    errors.push(invalid(`${at}.rawSelector`, rawSelector, detail));
  }
  if (rawSelector === "" && requirements.length === 0) {
    const detail = `when ${at} is specified, requirements or rawSelector is required`;
    errors.push(required(`${at}.requirements`, detail));
  }
  for (const [i, requirement] of requirements.entries()) {
    errors.push(...requirementErrors(`${at}.requirements[${i}]`, requirement));
  }
  return errors;
}

function requirementErrors(
  at: string,
  { key, operator, values = [] }: { key?: string; operator?: string; values?: string[] | undefined },
): FieldError[] {
  const errors: FieldError[] = [];
  // Without a key nothing else is looked at.
  if (!key) return [required(`${at}.key`, "must be specified")];
  if (operator === "In" || operator === "NotIn") {
    if (values.length > 0) return errors;
    errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length === 0) return errors;
    const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    errors.push(forbidden(`${at}.values`, detail));
  } else errors.push(invalid(`${at}.operator`, operator ?? "", "not a valid selector operator"));
  return errors;
}

function metadataErrors(metadata: ObjectMeta, namespaced: boolean): FieldError[] {
  const { managedFields: _fields, namespace, creationTimestamp: _time, ...others } = metadata;
  const extra = Object.values(others).filter((value) => value !== undefined && value !== "");
  if (extra.length === 0 && (namespaced || !namespace)) return [];
  const detail = namespaced ? "must be empty except for namespace" : "must be empty";
  return [invalid("metadata", metadata, detail)];
}

function localErrors({ resourceAttributes: resource, nonResourceAttributes: path }: ReviewSpec, namespace: string): FieldError[] {
  const errors: FieldError[] = [];
  if (resource !== undefined && (resource.namespace ?? "") !== namespace) {
    const detail = "must match metadata.namespace";
    errors.push(invalid("spec.resourceAttributes.namespace", resource.namespace ?? "", detail));
  }
  if (path !== undefined) {
    const detail = "disallowed on this kind of request";
    errors.push(invalid("spec.nonResourceAttributes", goPath(path), detail));
  }
  return errors;
}

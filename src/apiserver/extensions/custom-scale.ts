import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import { goText, goTypeName } from "#apimachinery/go-format.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ScalePaths } from "#apimachinery/resource.ts";

const replicasMax = 2 ** 31 - 1;

/** Source: apiextensions-apiserver pkg/registry/customresource/validator.go. */
export function validateScaleSpec(object: KubeObject, scale: ScalePaths | undefined): FieldError[] {
  return scale === undefined ? [] : validateReplicas(object, scale.specReplicas);
}

export function validateScaleStatus(object: KubeObject, scale: ScalePaths | undefined): FieldError[] {
  if (scale === undefined) return [];
  const errors = validateReplicas(object, scale.statusReplicas);
  if (scale.selector === undefined) return errors;
  const selector = readNested(object, scale.selector, "string");
  if (selector.error !== undefined) errors.push(invalid(scale.selector, "", selector.error));
  return errors;
}

function validateReplicas(object: KubeObject, path: string): FieldError[] {
  const { value, error } = readNested(object, path, "int64");
  if (error !== undefined) return [invalid(path, 0, error)];
  const replicas = Number(value ?? 0);
  if (replicas < 0) return [invalid(path, replicas, "should be a non-negative integer")];
  if (replicas <= replicasMax) return [];
  return [invalid(path, replicas, `should be less than or equal to ${replicasMax}`)];
}

/** A member along a path such as `.spec.replicas`, of Go's type. */
function readNested(object: unknown, path: string, type: string): { value?: unknown; error?: string } {
  const names = path.replace(/^\./, "").split(".");
  let value = object;
  for (const [i, name] of names.entries()) {
    if (value === null || value === undefined) return {};
    if (!isJsonMap(value)) {
      const at = `.${names.slice(0, i).join(".")}`;
      const found = `${goText(value)} is of the type ${goTypeName(value)}`;
      return { error: `${at} accessor error: ${found}, expected map[string]interface{}` };
    }
    if (!Object.hasOwn(value, name) || value[name] === undefined) return {};
    value = value[name];
  }
  if (goTypeName(value) === type) return { value };
  const found = `${goText(value)} is of the type ${goTypeName(value)}`;
  return { error: `.${names.join(".")} accessor error: ${found}, expected ${type}` };
}

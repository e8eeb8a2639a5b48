import type { FieldError } from "#apimachinery/field-error.ts";
import type { CustomResourceDefinition } from "./custom-resource-definition.ts";

export function validateCrd(_crd: CustomResourceDefinition): FieldError[] {
  return [];
}

export function validateCrdUpdate(_crd: CustomResourceDefinition, _old: CustomResourceDefinition): FieldError[] {
  return [];
}

export function validateCrdStatusUpdate(
  _crd: CustomResourceDefinition,
  _old: CustomResourceDefinition,
): FieldError[] {
  return [];
}

import {
  exactField,
  type FieldSelector,
  matchesFields,
  parseFieldSelector,
} from "#apimachinery/field-selectors.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { isEverything, parseLabelSelector, type Selector } from "#apimachinery/selectors.ts";
import { badRequest } from "#apimachinery/status.ts";
import type { CallOptions } from "../call.ts";

/** Selectors of a list or watch, compiled once for a request. */
export interface Selection {
  /** True when every object matches. */
  readonly all: boolean;
  /** Set when the field selector names exactly one object, or one namespace. */
  readonly name?: string;
  readonly namespace?: string;
  matches(object: KubeObject): boolean;
}

/** Errors: BadRequest for a malformed selector or a field that cannot be selected by. */
export function selectionOf(definition: ResourceDefinition, options: CallOptions): Selection {
  const labels = options.labelSelector ? parseLabels(options.labelSelector) : undefined;
  const fields = options.fieldSelector ? parseFields(definition, options.fieldSelector) : undefined;
  const name = fields && exactField(fields, "metadata.name");
  const namespace = fields && exactField(fields, "metadata.namespace");
  return {
    all: (labels === undefined || isEverything(labels)) && fields === undefined,
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    matches: (object) =>
      (labels === undefined || labels.matches(object.metadata?.labels)) &&
      (fields === undefined || matchesFields(fields, (field) => fieldValue(definition, object, field))),
  };
}

function parseLabels(text: string): Selector {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

function parseFields(definition: ResourceDefinition, text: string): FieldSelector {
  let selector: FieldSelector;
  try {
    selector = parseFieldSelector(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
  for (const { field } of selector.requirements) {
    if (field !== "" && !isSelectable(definition, field)) {
      throw badRequest(unsupportedField(definition, field));
    }
  }
  return selector;
}

function isSelectable(definition: ResourceDefinition, field: string): boolean {
  if (field === "metadata.name") return true;
  if (field === "metadata.namespace") {
    return definition.custom === undefined || definition.scope === "Namespaced";
  }
  return Object.hasOwn(definition.fieldSelectors, field);
}

/** Kinds with fields of their own have their own text. */
function unsupportedField(definition: ResourceDefinition, field: string): string {
  if (definition.unsupportedField !== undefined) return definition.unsupportedField(field);
  const isOwn = definition.custom !== undefined || Object.keys(definition.fieldSelectors).length > 0;
  if (isOwn) return `field label not supported: ${field}`;
  return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

function fieldValue(definition: ResourceDefinition, object: KubeObject, field: string): string {
  if (field === "metadata.name") return object.metadata?.name ?? "";
  if (field === "metadata.namespace") return object.metadata?.namespace ?? "";
  return definition.fieldSelectors[field]?.(object) ?? "";
}

import type { Namespace } from "#api/core/v1/namespace.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import {
  isEverything,
  labelSelectorOf,
  type LabelSelectorSource,
} from "#apimachinery/selectors.ts";
import { notFound } from "#apimachinery/status.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import { type AdmissionRequest, isNamespaceKind, namespaceOf } from "../request.ts";

/**
 * Whether the namespace of the request is selected; what lies in none always is.
 * Errors: NotFound. Source: webhook/predicates/namespace.
 */
export function matchesNamespace(
  selector: LabelSelectorSource | undefined,
  request: AdmissionRequest,
  namespaces: LiveSet<Namespace>,
): boolean {
  if (selector === undefined) return true;
  const name = namespaceOf(request);
  const isNamespace = isNamespaceKind(request.definition);
  if (name === "" && !isNamespace) return true;
  const parsed = labelSelectorOf(selector);
  if (isEverything(parsed)) return true;
  if (isNamespace && request.call.subresource === "" && request.object !== undefined) {
    return parsed.matches(request.object.metadata?.labels ?? {});
  }
  const namespace = namespaces.get("", name);
  if (namespace === undefined) throw notFound({ group: "", resource: "namespaces" }, name);
  return parsed.matches(namespace.metadata?.labels ?? {});
}

/** Whether the new or the old object is selected. Source: webhook/predicates/object. */
export function matchesObject(
  selector: LabelSelectorSource | undefined,
  request: AdmissionRequest,
): boolean {
  if (selector === undefined) return true;
  const parsed = labelSelectorOf(selector);
  if (isEverything(parsed)) return true;
  const selected = (object: KubeObject | undefined): boolean =>
    object?.metadata !== undefined && parsed.matches(object.metadata.labels ?? {});
  return selected(request.object) || selected(request.oldObject);
}

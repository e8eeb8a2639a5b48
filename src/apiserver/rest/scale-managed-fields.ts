import { Scale } from "#api/autoscaling/v1/scale.ts";
import {
  applyPatch,
  type FieldManagement,
  updateManagedFields,
} from "#apimachinery/apply/field-manager.ts";
import { withManagedFields } from "#apimachinery/apply/managers.ts";
import {
  parentManagedFields,
  scaleManagedFields,
  type ScaleMapping,
} from "#apimachinery/apply/scale-managers.ts";
import { applySchemaOf } from "#apimachinery/apply/struct-schema.ts";
import { decodeJson } from "#apimachinery/json-codec.ts";
import { apiVersionOf, type KubeObject, type ManagedFieldsEntry } from "#apimachinery/object.ts";
import { rfc3339 } from "#base/clock.ts";
import type { Call, Endpoint } from "../call.ts";
import { readConfiguration } from "./managed-fields.ts";
import { managerOf } from "./metadata.ts";

/**
 * Who owns the replicas, seen through `scale`.
 * Source: upstream's registry storages (`scaleUpdatedObjectInfo`).
 */
export function withScaleManagers(endpoint: Endpoint, parent: KubeObject, scale: Scale): Scale {
  const entries = parent.metadata?.managedFields;
  return withManagedFields(scale, scaleManagedFields(entries, mappingOf(endpoint)));
}

/** Server-side apply of the request's body to a Scale that carries its managers. */
export function applyScale(call: Call, live: Scale): Scale {
  const applied = applyPatch(management, {
    live,
    patch: readConfiguration(call).value,
    manager: call.options.fieldManager ?? "",
    force: call.options.force === true,
    time: rfc3339(call.nowMs),
  });
  return decodeJson(Scale, applied, { collectFindings: false }).object as Scale;
}

/** The parent's managed fields after a write that made `live` the Scale `wanted`. */
export function parentManagers(
  { endpoint, call }: { endpoint: Endpoint; call: Call },
  parent: KubeObject,
  { live, wanted }: { live: Scale; wanted: Scale },
): ManagedFieldsEntry[] | undefined {
  const isApply = call.verb === "patch" && call.patchType === "apply";
  const entries = isApply
    ? wanted.metadata?.managedFields
    : updateManagedFields(management, {
        live,
        updated: wanted,
        manager: managerOf(call),
        time: rfc3339(call.nowMs),
      });
  return parentManagedFields(parent.metadata?.managedFields, entries, mappingOf(endpoint));
}

const scaleVersion = "autoscaling/v1";
const scaleSchema = applySchemaOf(Scale);

const management: FieldManagement = {
  kind: "Scale",
  apiVersion: scaleVersion,
  subresource: "scale",
  schemaOf: (apiVersion) => (apiVersion === scaleVersion ? scaleSchema : undefined),
  convert: (object) => object,
  filterOf: () => undefined,
};

function mappingOf({ definition, versions }: Endpoint): ScaleMapping {
  return {
    apiVersion: apiVersionOf(definition.group, definition.version),
    replicasPath(apiVersion) {
      const found = versions().get(apiVersion);
      const path = found?.subresources["scale"]?.scale?.specReplicas;
      return found && (path ?? "").replace(/^\./, "");
    },
  };
}

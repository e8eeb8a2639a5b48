import { required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateImmutable,
  validateNonNegative,
} from "#apimachinery/validation/checks.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, int64, kind, opt, rawObject, req } from "#apimachinery/schema.ts";

export const ControllerRevision = kind("io.k8s.api.apps.v1.ControllerRevision", {
  metadata,
  data: opt(2, rawObject),
  revision: req(3, int64),
});
export interface ControllerRevision extends Infer<typeof ControllerRevision> {}

export const controllerRevisions = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "Namespaced",
  schema: ControllerRevision,
  strategy: {
    validate: (revision) => [...validateControllerRevision(revision)],
    validateUpdate: (revision, { old }) => [
      ...validateControllerRevision(revision),
      ...validateImmutable(revision.data, old.data, "data"),
    ],
  },
  columns: [
    nameColumn,
    column("Controller", ownerText, { description: "The controller that owns the object." }),
    column("Revision", ({ revision }) => revision, { description: "Number of the revision." }),
    ageColumn,
  ],
});

function* validateControllerRevision({ data, revision }: ControllerRevision): Findings {
  if (data === undefined || data === null) yield required("data", "data is mandatory");
  else if (typeof data !== "object" || Array.isArray(data)) {
    yield required("data", "data must be a valid JSON object");
  }
  yield* validateNonNegative(revision, "revision");
}

/** `daemonset.apps/name`. */
function ownerText({ metadata: meta }: ControllerRevision): string {
  const owner = meta.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return "<none>";
  const group = owner.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0]}` : "";
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

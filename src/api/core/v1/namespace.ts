import { rfc3339 } from "#base/clock.ts";
import { statusSubresource } from "#api/strategies.ts";
import { validateKubeFinalizer } from "#apimachinery/validation/object-meta.ts";
import { checkQualifiedName } from "#apimachinery/validation/names.ts";
import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, named, opt, req, string, struct, time } from "#apimachinery/schema.ts";

/** The name as a label, so that selectors can choose one namespace. */
const nameLabel = "kubernetes.io/metadata.name";

export const NamespaceSpec = struct("io.k8s.api.core.v1.NamespaceSpec", {
  finalizers: opt(1, listOf(named("v1.FinalizerName", string)), { listType: "atomic" }),
});
export interface NamespaceSpec extends Infer<typeof NamespaceSpec> {}

export const NamespaceCondition = struct("io.k8s.api.core.v1.NamespaceCondition", {
  type: req(1, named("v1.NamespaceConditionType", string)),
  status: req(2, named("v1.ConditionStatus", string)),
  lastTransitionTime: opt(4, time),
  reason: opt(5, string),
  message: opt(6, string),
});
export interface NamespaceCondition extends Infer<typeof NamespaceCondition> {}

export const NamespaceStatus = struct("io.k8s.api.core.v1.NamespaceStatus", {
  phase: opt(1, named("v1.NamespacePhase", string)),
  conditions: opt(2, listOf(NamespaceCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface NamespaceStatus extends Infer<typeof NamespaceStatus> {}

export const Namespace = kind("io.k8s.api.core.v1.Namespace", {
  metadata,
  spec: req(2, NamespaceSpec, { required: false }),
  status: opt(3, NamespaceStatus),
});
export interface Namespace extends Infer<typeof Namespace> {}

export const namespaces = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  scope: "Cluster",
  schema: Namespace,
  strategy: {
    nameRule: "dnsLabel",
    deleteReturnsObject: "unannounced",
    default(namespace) {
      const { name } = namespace.metadata;
      if (name) namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: name };
      namespace.status ??= {};
      namespace.status.phase ||= "Active";
    },
    prepareForCreate(namespace) {
      namespace.status = { phase: "Active" };
      const finalizers = namespace.spec.finalizers ?? [];
      if (!finalizers.includes("kubernetes")) {
        namespace.spec.finalizers = [...finalizers, "kubernetes"];
      }
    },
    prepareForUpdate(namespace, { old }) {
      namespace.spec.finalizers = old.spec.finalizers;
      namespace.status = old.status;
    },
    validate: ({ spec }) =>
      (spec.finalizers ?? []).flatMap((finalizer) =>
        validateFinalizer(finalizer, "spec.finalizers"),
      ),
    canonicalize(namespace) {
      // Generated names are known only now.
      const { name = "" } = namespace.metadata;
      namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: name };
    },
    holdsDeletion: ({ spec }) => (spec.finalizers ?? []).length > 0,
    beginDeletion: (namespace, nowMs) => ({
      ...namespace,
      metadata: { ...namespace.metadata, deletionTimestamp: rfc3339(nowMs) },
      status: { ...namespace.status, phase: "Terminating" },
    }),
  },
  fieldSelectors: {
    "status.phase": (namespace) => namespace.status?.phase ?? "",
    name: (namespace) => namespace.metadata.name ?? "",
  },
  columns: [
    nameColumn,
    column("Status", (namespace) => namespace.status?.phase ?? "", { description: "Phase." }),
    ageColumn,
  ],
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  subresources: {
    finalize: {
      verbs: ["update"],
      handler: "namespaces/finalize",
      strategy: {
        resetFields: ["status"],
        prepareForUpdate(namespace, { old }) {
          namespace.status = old.status;
        },
        validateUpdate: ({ spec }) =>
          (spec.finalizers ?? []).flatMap((finalizer, i) =>
            validateFinalizer(finalizer, `spec.finalizers[${i}]`),
          ),
      },
    },
    status: statusSubresource<Namespace>({ validate: validatePhase }),
  },
});

function validateFinalizer(finalizer: string, path: string): FieldError[] {
  return [
    ...checkQualifiedName(finalizer).map((text) => invalid(path, finalizer, text)),
    ...validateKubeFinalizer(finalizer, path),
  ];
}

/** Phases follow deletion. */
function validatePhase({ metadata: { deletionTimestamp }, status }: Namespace): FieldError[] {
  const phase = status?.phase ?? "";
  const [expected, state] =
    deletionTimestamp === undefined ? ["Active", "empty"] : ["Terminating", "not empty"];
  if (phase === expected) return [];
  const detail = `may only be '${expected}' if \`deletionTimestamp\` is ${state}`;
  return [invalid("status.Phase", phase, detail)];
}

import { column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, named, opt, req, string, struct } from "#apimachinery/schema.ts";

export const ComponentCondition = struct("io.k8s.api.core.v1.ComponentCondition", {
  type: req(1, named("v1.ComponentConditionType", string)),
  status: req(2, named("v1.ConditionStatus", string)),
  message: opt(3, string),
  error: opt(4, string),
});
export interface ComponentCondition extends Infer<typeof ComponentCondition> {}

export const ComponentStatus = kind("io.k8s.api.core.v1.ComponentStatus", {
  metadata,
  conditions: opt(2, listOf(ComponentCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface ComponentStatus extends Infer<typeof ComponentStatus> {}

export const componentStatuses = defineResource<ComponentStatus>({
  group: "",
  version: "v1",
  kind: "ComponentStatus",
  plural: "componentstatuses",
  shortNames: ["cs"],
  scope: "Cluster",
  schema: ComponentStatus,
  columns: [
    nameColumn,
    column("Status", (component) =>
      healthOf(component)?.status === "True" ? "Healthy" : "Unhealthy", { description: "Whether the component is healthy." }),
    column("Message", (component) => healthOf(component)?.message ?? "", { description: "What the component says of its health." }),
    column("Error", (component) => healthOf(component)?.error ?? "", { description: "Why it could not be asked." }),
  ],
  verbs: ["get", "list"],
  handler: "componentstatuses",
  deprecation: "v1 ComponentStatus is deprecated in v1.19+",
});

function healthOf({ conditions }: ComponentStatus): ComponentCondition | undefined {
  return conditions?.find(({ type }) => type === "Healthy");
}

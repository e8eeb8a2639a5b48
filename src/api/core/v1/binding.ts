import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, req } from "#apimachinery/schema.ts";
import { ObjectReference } from "./object-reference.ts";

export const Binding = kind("io.k8s.api.core.v1.Binding", {
  metadata,
  target: req(2, ObjectReference),
});
export interface Binding extends Infer<typeof Binding> {}

export const bindings = defineResource<Binding>({
  group: "",
  version: "v1",
  kind: "Binding",
  plural: "bindings",
  scope: "Namespaced",
  schema: Binding,
  verbs: ["create"],
  handler: "bindings",
});

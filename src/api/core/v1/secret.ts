import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, bytes, type Infer, kind, mapOf, opt, ptr, string } from "#apimachinery/schema.ts";

export const Secret = kind("io.k8s.api.core.v1.Secret", {
  metadata,
  immutable: ptr(5, bool),
  data: opt(2, mapOf(bytes)),
  stringData: opt(4, mapOf(string)),
  type: opt(3, string),
});
export interface Secret extends Infer<typeof Secret> {}

export const secrets = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
  schema: Secret,
});

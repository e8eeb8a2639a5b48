import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, bytes, type Infer, kind, mapOf, opt, ptr, string } from "#apimachinery/schema.ts";

export const ConfigMap = kind("io.k8s.api.core.v1.ConfigMap", {
  metadata,
  immutable: ptr(4, bool),
  data: opt(2, mapOf(string)),
  binaryData: opt(3, mapOf(bytes)),
});
export interface ConfigMap extends Infer<typeof ConfigMap> {}

export const configMaps = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  scope: "Namespaced",
  schema: ConfigMap,
});

import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { checkConfigMapKey } from "#apimachinery/validation/syntax.ts";
import {
  byteLengthOf,
  type Findings,
  invalidTexts,
  sortedEntries,
} from "#apimachinery/validation/checks.ts";
import { type FieldError, forbidden, invalid, tooLong } from "#apimachinery/field-error.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, bytes, type Infer, kind, mapOf, opt, ptr, string } from "#apimachinery/schema.ts";

/** Limit on the sum of all values, bytes; also of Secrets. */
export const configBytesMax = 1024 * 1024;

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
  strategy: {
    validate: (configMap) => [...validateConfigMap(configMap)],
    validateUpdate: (configMap, { old }) => [
      ...validateImmutableContents(configMap, old),
      // Upstream checks the whole object again, metadata too, and lists what it finds once more.
      ...validateObjectMeta(configMap.metadata, { namespaced: true }),
      ...validateConfigMap(configMap),
    ],
  },
  columns: [nameColumn, column("Data", countKeys, { description: "Number of keys." }), ageColumn],
});

function countKeys({ data, binaryData }: ConfigMap): number {
  return Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length;
}

function* validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): Findings {
  let sizeBytes = 0;
  for (const [key, value] of sortedEntries(data)) {
    const path = `data[${key}]`;
    yield* invalidTexts(path, key, checkConfigMapKey(key));
    if (Object.hasOwn(binaryData, key)) {
      yield invalid(path, key, "duplicate of key present in binaryData");
    }
    sizeBytes += byteLengthOf(value);
  }
  for (const [key, value] of sortedEntries(binaryData)) {
    yield* invalidTexts(`binaryData[${key}]`, key, checkConfigMapKey(key));
    sizeBytes += base64Bytes(value);
  }
  if (sizeBytes > configBytesMax) yield tooLong("[]", configBytesMax);
}

/** Decoded size of base64 text. */
export function base64Bytes(text: string): number {
  return Buffer.byteLength(text, "base64");
}

export const immutableContentsText = "field is immutable when `immutable` is set";

/** Also for Secrets, which have no `binaryData`. */
export function validateImmutableContents(
  object: Pick<ConfigMap, "immutable" | "data" | "binaryData">,
  old: Pick<ConfigMap, "immutable" | "data" | "binaryData">,
): FieldError[] {
  if (old.immutable !== true) return [];
  const errors = object.immutable === true ? [] : [forbidden("immutable", immutableContentsText)];
  for (const field of ["data", "binaryData"] as const) {
    if (!deepEqual(object[field] ?? {}, old[field] ?? {})) {
      errors.push(forbidden(field, immutableContentsText));
    }
  }
  return errors;
}

import { isGivenEmpty } from "../given-empty.ts";
import { flatFields, resolve, type Schema } from "../schema.ts";

/**
 * Findings show bad values as Go's JSON of upstream's internal types, which have no JSON tags:
 * members are named as in Go, all of them are written, absent ones as null or zero. The types of
 * meta/v1 are shared and keep their tags.
 */
export function internalValue(schema: Schema, value: unknown): unknown {
  const target = resolve(schema);
  switch (target.type) {
    case "struct": {
      if (target.name.startsWith("io.k8s.apimachinery.")) return value ?? null;
      const object = (value ?? {}) as Readonly<Record<string, unknown>>;
      const out: Record<string, unknown> = {};
      for (const [name, field] of flatFields(target)) {
        const member = object[name];
        out[goFieldName(name)] =
          member === undefined && field.presence === "ptr"
            ? null
            : internalValue(field.schema, member);
      }
      return out;
    }
    case "list":
      return Array.isArray(value) && !isNil(value)
        ? value.map((item) => internalValue(target.items, item))
        : null;
    case "map":
      return value === undefined || isNil(value as object)
        ? null
        : Object.fromEntries(
            Object.entries(value as Record<string, unknown>).map(([key, item]) => [
              key,
              internalValue(target.values, item),
            ]),
          );
    default:
      return value ?? zeroScalars[target.type] ?? null;
  }
}

/** Empty, and nobody sent it. */
function isNil(container: object): boolean {
  return Object.keys(container).length === 0 && !isGivenEmpty(container);
}

const zeroScalars: Readonly<Record<string, unknown>> = {
  string: "",
  bool: false,
  int32: 0,
  int64: 0,
  double: 0,
  quantity: "0",
  intOrString: 0,
};

const initialisms = new Map([
  ["api", "API"],
  ["cel", "CEL"],
  ["csi", "CSI"],
  ["dns", "DNS"],
  ["fs", "FS"],
  ["http", "HTTP"],
  ["https", "HTTPS"],
  ["ip", "IP"],
  ["tty", "TTY"],
  ["aws", "AWS"],
  ["fc", "FC"],
  ["gce", "GCE"],
  ["iscsi", "ISCSI"],
  ["nfs", "NFS"],
  ["rbd", "RBD"],
  ["ips", "IPs"],
  ["id", "ID"],
  ["os", "OS"],
  ["tcp", "TCP"],
  ["tls", "TLS"],
  ["uid", "UID"],
  ["url", "URL"],
]);

const irregular = new Map([
  ["cephfs", "CephFS"],
  ["storageos", "StorageOS"],
  ["seLinuxOptions", "SELinuxOptions"],
  ["seLinuxMount", "SELinuxMount"],
  ["seLinuxChangePolicy", "SELinuxChangePolicy"],
  ["openAPIV3Schema", "OpenAPIV3Schema"],
]);

/** `apiGroup` -> `APIGroup`, `podCIDR` -> `PodCIDR`. */
export function goFieldName(jsonName: string): string {
  const known = irregular.get(jsonName);
  if (known !== undefined) return known;
  const [first = "", rest = ""] = splitWord(jsonName);
  return (initialisms.get(first) ?? first.charAt(0).toUpperCase() + first.slice(1)) + rest;
}

function splitWord(name: string): [first: string, rest: string] {
  const end = name.search(/[A-Z]/);
  return end < 0 ? [name, ""] : [name.slice(0, end), name.slice(end)];
}

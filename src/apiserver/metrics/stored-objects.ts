import type { MetricRegistry } from "#base/metrics.ts";
import type { ApiTable } from "../api-table.ts";

/**
 * Sets how many objects there are of each resource and how large they are, or -1 when the store does
 * not tell. Source: apiserver storage/etcd3/metrics.
 */
export function storedObjects(table: ApiTable, registry: MetricRegistry): () => Promise<void> {
  const byName = registry.gauge({
    name: "apiserver_storage_objects",
    help: "Objects that are stored, by resource.",
    labels: ["resource"],
    stability: "STABLE",
  });
  const labels = ["group", "resource"];
  const objects = registry.gauge({
    name: "apiserver_resource_objects",
    help: "Objects that are stored, by group and resource.",
    labels,
  });
  const bytes = registry.gauge({
    name: "apiserver_resource_size_estimate_bytes",
    help: "About how many bytes the stored objects have, by group and resource.",
    labels,
  });
  return async () => {
    for (const family of [byName, objects, bytes]) family.clear();
    const counted = new Set<string>();
    for (const { definition, storage } of table.endpoints()) {
      if (definition.handler !== undefined || counted.has(storage.prefix)) continue;
      counted.add(storage.prefix);
      const { group, plural } = definition;
      const { count, sizeBytes } = await storage.estimate().catch(() => ({ count: -1, sizeBytes: -1 }));
      byName.with(group === "" ? plural : `${plural}.${group}`).set(count);
      objects.with(group, plural).set(count);
      bytes.with(group, plural).set(sizeBytes);
    }
  };
}

/** Source: apiserver/pkg/storage/value/metrics.go, server/options/encryptionconfig/metrics. */
import type { MetricRegistry } from "#base/metrics.ts";
import { groupResourceText } from "./group-resource.ts";

export interface EncryptionMetrics {
  /** For one resource: `stored` is what was read or written; undefined when nothing could be written. */
  transformations(group: string, resource: string): (type: Transformation, stored: Uint8Array | undefined, isDone: boolean) => void;
  configured(hash: string): void;
  reloaded(isDone: boolean, nowMs: number): void;
}

export type Transformation = "from_storage" | "to_storage";

/** Servers have no identity of their own that could tell them apart here. */
const serverHash = "";
/** The parts of a prefix: `k8s:enc:aescbc:v1:`, or with the name of a plugin. */
const prefixPattern = /^k8s:enc:(?:kms:v\d+:[^:]*:|[^:]*:v\d+:)/;
const prefixBytesMax = 128;

export function encryptionMetrics(registry: MetricRegistry): EncryptionMetrics {
  const operations = registry.counter({
    name: "apiserver_storage_transformation_operations_total",
    help: "Total number of transformations. Successful transformation will have a status 'OK' and a varied status string when the transformation fails.",
    labels: ["resource", "transformation_type", "transformer_prefix", "status"],
  });
  const reloads = registry.counter({
    name: "apiserver_encryption_config_controller_automatic_reloads_total",
    help: "Total number of reload successes and failures of encryption configuration split by apiserver identity.",
    labels: ["status", "apiserver_id_hash"],
  });
  const lastReload = registry.gauge({
    name: "apiserver_encryption_config_controller_automatic_reload_last_timestamp_seconds",
    help: "Timestamp of the last successful or failed automatic reload of encryption configuration split by apiserver identity.",
    labels: ["status", "apiserver_id_hash"],
  });
  const info = registry.gauge({
    name: "apiserver_encryption_config_controller_last_config_info",
    help: "Information about the last applied encryption configuration with hash as label, split by apiserver identity.",
    labels: ["apiserver_id_hash", "hash"],
  });
  return {
    transformations(group, resource) {
      const shown = groupResourceText({ group, resource });
      return (type, stored, isDone) => operations.with(shown, type, prefixOf(stored, isDone), isDone ? "OK" : "Unknown").inc();
    },
    configured(hash) {
      info.clear();
      info.with(serverHash, `sha256:${hash}`).set(1);
    },
    reloaded(isDone, nowMs) {
      const status = isDone ? "success" : "failure";
      reloads.with(status, serverHash).inc();
      lastReload.with(status, serverHash).set(nowMs / 1000);
    },
  };
}

function prefixOf(stored: Uint8Array | undefined, isDone: boolean): string {
  const start = Buffer.from(stored?.subarray(0, prefixBytesMax) ?? []).toString("latin1");
  return prefixPattern.exec(start)?.[0] ?? (isDone ? "identity" : "unknown");
}

import { type ComponentStatus, ComponentStatus as schema } from "#api/core/v1/component-status.ts";
import { ListMeta } from "#apimachinery/meta/list-meta.ts";
import { kind, listOf, req } from "#apimachinery/schema.ts";
import { notFound } from "#apimachinery/status.ts";
import type { Handler } from "./handler.ts";

const listSchema = kind("io.k8s.api.core.v1.ComponentStatusList", {
  metadata: req(1, ListMeta),
  items: req(2, listOf(schema)),
});

/** All parts share one process or are seen by their Leases; the server itself answers for them. */
const names = ["controller-manager", "scheduler", "etcd-0"];

function statusOf(name: string): ComponentStatus {
  return {
    kind: "ComponentStatus",
    apiVersion: "v1",
    metadata: { name },
    conditions: [{ type: "Healthy", status: "True", message: "ok" }],
  };
}

/** GET componentstatuses, read only and deprecated. */
export const componentStatuses: Handler = (_context, endpoint, call) => {
  if (call.verb === "list") {
    const objects = names.map(statusOf);
    const items = objects.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item);
    const object = { kind: "ComponentStatusList", apiVersion: "v1", metadata: {}, items };
    return Promise.resolve({ kind: "object", object, schema: listSchema, code: 200, table: { endpoint, objects } });
  }
  if (!names.includes(call.name)) throw notFound({ group: "", resource: "componentstatus" }, call.name);
  const object = statusOf(call.name);
  return Promise.resolve({ kind: "object", object, schema, code: 200, table: { endpoint, objects: [object] } });
};

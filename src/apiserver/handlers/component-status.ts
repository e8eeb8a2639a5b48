import { type ComponentStatus, ComponentStatus as schema } from "#api/core/v1/component-status.ts";
import { ListMeta } from "#apimachinery/meta/list-meta.ts";
import { kind, listOf, req } from "#apimachinery/schema.ts";
import { notFound } from "#apimachinery/status.ts";
import type { Handler } from "./handler.ts";

const listSchema = kind("io.k8s.api.core.v1.ComponentStatusList", {
  metadata: req(1, ListMeta),
  items: req(2, listOf(schema)),
});

export interface Health {
  readonly isHealthy: boolean;
  /** What the component says, or why it could not be asked. */
  readonly message: string;
}

/** Asks a part of the control plane how it is. Never rejects. */
export type ComponentHealth = (name: string) => Promise<Health>;

const names = ["controller-manager", "scheduler", "etcd-0"];

async function statusOf(name: string, healthOf: ComponentHealth): Promise<ComponentStatus> {
  const { isHealthy, message } = await healthOf(name);
  return {
    kind: "ComponentStatus",
    apiVersion: "v1",
    metadata: { name },
    conditions: [{ type: "Healthy", status: isHealthy ? "True" : "False", message }],
  };
}

/** GET componentstatuses, read only and deprecated. Source: pkg/registry/core/componentstatus. */
export const componentStatuses: Handler = async ({ componentHealth }, endpoint, call) => {
  if (call.verb === "list") {
    const objects = await Promise.all(names.map((name) => statusOf(name, componentHealth)));
    const items = objects.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item);
    const object = { kind: "ComponentStatusList", apiVersion: "v1", metadata: {}, items };
    return { kind: "object", object, schema: listSchema, code: 200, table: { endpoint, objects } };
  }
  if (!names.includes(call.name)) throw notFound({ group: "", resource: "componentstatus" }, call.name);
  const object = await statusOf(call.name, componentHealth);
  return { kind: "object", object, schema, code: 200, table: { endpoint, objects: [object] } };
};

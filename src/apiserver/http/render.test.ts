import assert from "node:assert/strict";
import { test } from "node:test";
import { componentStatuses as definition } from "#api/core/v1/component-status.ts";
import type { Call, Endpoint } from "../call.ts";
import { componentStatuses, type Health } from "../handlers/component-status.ts";
import type { HandlerContext } from "../handlers/handler.ts";
import { render } from "./render.ts";

test("kinds that are made have tables too, when they have columns", async () => {
  const endpoint = { definition } as unknown as Endpoint;
  const call = { verb: "list", name: "" } as unknown as Call;
  const componentHealth = (name: string): Promise<Health> =>
    Promise.resolve(name === "scheduler" ? { isHealthy: false, message: "away" } : { isHealthy: true, message: "ok" });
  const context = { componentHealth } as unknown as HandlerContext;
  const answer = await componentStatuses(context, endpoint, call);
  const representation = { mediaType: "json", as: "Table", version: "v1", pretty: false, stream: false } as const;
  const { chunks } = render(answer, { representation, include: "Metadata", nowMs: 0 });
  const table = JSON.parse(Buffer.concat(chunks as Uint8Array[]).toString()) as { kind: string; rows: { cells: unknown[] }[] };
  assert.equal(table.kind, "Table");
  assert.deepEqual(table.rows.map(({ cells }) => cells), [
    ["controller-manager", "Healthy", "ok", ""],
    ["scheduler", "Unhealthy", "away", ""],
    ["etcd-0", "Healthy", "ok", ""],
  ]);
});

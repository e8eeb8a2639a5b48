import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { StatusError } from "#apimachinery/status.ts";
import { startTestServer } from "./server-fixture.ts";

test("a watch of what was compacted is told where history begins, as upstream's cache tells", async () => {
  await using server = await startTestServer();
  const { api } = server.running;
  const resource = api.server.loopback.resource(configMaps);
  const { resourceVersion } = await resource.list();
  await resource.create({ metadata: { namespace: "default", name: "newer" } });
  const store = api.server.table.find("", "v1", "configmaps")?.storage.store ?? assert.fail("no storage");
  const { revision } = store;
  await store.compact(revision);
  const closed = Promise.withResolvers<Error | undefined>();
  using _watch = resource.watch({ resourceVersion }, { onEvent: () => assert.fail("an event"), onClosed: closed.resolve });
  const error = await closed.promise;
  assert.ok(error instanceof StatusError);
  const { code, reason, message } = error.status;
  const expected = { code: 410, reason: "Expired", message: `too old resource version: ${resourceVersion} (${revision})` };
  assert.deepEqual({ code, reason, message }, expected);
});

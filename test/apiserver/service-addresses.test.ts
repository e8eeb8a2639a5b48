import assert from "node:assert/strict";
import { test } from "node:test";
import { type IPAddress, ipAddresses } from "#api/networking/v1/ip-address.ts";
import { startTestServer } from "./server-fixture.ts";

test("an address that a Service has is booked again when somebody deletes it", async () => {
  await using server = await startTestServer();
  const resource = server.running.api.server.loopback.resource(ipAddresses);
  const [before] = (await resource.list()).items;
  assert.ok(before !== undefined);
  const { name = "", uid } = before.metadata ?? {};
  const again = Promise.withResolvers<IPAddress>();
  using _watch = resource.watch(
    { fieldSelector: `metadata.name=${name}` },
    {
      onEvent: (event) => {
        if (event.type === "ADDED" && event.object.metadata?.uid !== uid) again.resolve(event.object);
      },
      onClosed: (error) => again.reject(error ?? new Error("the watch ended")),
    },
  );
  await resource.delete(name);
  assert.deepEqual((await again.promise).spec, before.spec);
});

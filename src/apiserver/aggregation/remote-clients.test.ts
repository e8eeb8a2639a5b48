import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpClient } from "#base/http.ts";
import { RemoteClients, remoteClientsMax } from "./remote-clients.ts";
import type { RemoteTarget } from "./remote-service.ts";

const targetOf = (n: number): RemoteTarget => ({ baseUrl: `https://10.0.0.${n}` }) as RemoteTarget;

test("RemoteClients keeps one connection for each target, and closes the one unused longest", () => {
  const closed: string[] = [];
  const open = ({ baseUrl }: RemoteTarget): HttpClient =>
    ({ [Symbol.asyncDispose]: () => Promise.resolve(void closed.push(baseUrl)) }) as unknown as HttpClient;
  const clients = new RemoteClients(open);
  const first = clients.of(targetOf(0));
  for (let n = 1; n < remoteClientsMax; n++) clients.of(targetOf(n));
  assert.equal(clients.of(targetOf(0)), first);
  clients.of(targetOf(remoteClientsMax));
  assert.deepEqual(closed, ["https://10.0.0.1"]);
  clients[Symbol.dispose]();
  assert.equal(closed.length, remoteClientsMax + 1);
});

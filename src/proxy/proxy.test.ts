import assert from "node:assert/strict";
import { test } from "node:test";
import { services } from "#api/core/v1/service.ts";
import { endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import { IoError } from "#base/files.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createClient } from "#client/client.ts";
import { createInformers } from "#client/informer-factory.ts";
import { createFakeApi } from "#testing/fake-api.ts";
import { startProxy } from "./proxy.ts";

test("startProxy leaves Services alone that another proxy serves, and takes them over when the label goes", async () => {
  const clock = createVirtualClock();
  const random = createVirtualRandom(1);
  await using lifetime = new Lifetime("proxy");
  const api = createFakeApi({ clock, random });
  const client = createClient({ transport: api.transport, userAgent: "proxy/v1" });
  const labels = { "": {}, foreign: { "service.kubernetes.io/service-proxy-name": "x" }, headless: { "service.kubernetes.io/headless": "" } };
  const web = (name: string, clusterIP: string, label: keyof typeof labels) =>
    api.seed(services, {
      metadata: { name, namespace: "default", labels: labels[label] },
      spec: { type: "ClusterIP", clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80, protocol: "TCP" }] },
    });
  for (const [name, address, label] of [["a", "10.96.0.1", ""], ["b", "10.96.0.2", "foreign"], ["c", "10.96.0.3", "headless"]] as const) {
    web(name, address, label);
    api.seed(endpointSlices, {
      metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.244.1.2"], conditions: { ready: true } }],
      ports: [{ name: "", port: 8080, protocol: "TCP" }],
    });
  }
  const transactions: string[] = [];
  startProxy({
    nodeName: "here",
    informers: createInformers({ client, clock, random, log: silentLogger, lifetime }),
    writer: { apply: async (transaction) => void transactions.push(transaction) },
    processes: {
      run: async () => ({ code: 0, stdout: "", stderr: "" }),
      start: () => {
        throw new IoError("spawn", "ENOSYS");
      },
    },
    clock,
    log: silentLogger,
    lifetime,
    clusterCidr: "10.244.0.0/16",
    serviceCidr: "10.96.0.0/16",
  });
  const served = (): string[] =>
    [...new Set(transactions.join("\n").match(/10\.96\.0\.\d \. tcp \. 80 : goto service-/g))].map((text) => text.split(" ")[0] ?? "");
  await clock.advance(1000);
  assert.deepEqual(served(), ["10.96.0.1"]);
  web("c", "10.96.0.3", "");
  await clock.advance(1000);
  assert.deepEqual(served(), ["10.96.0.1", "10.96.0.3"]);
});

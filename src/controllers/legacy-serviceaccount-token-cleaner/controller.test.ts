import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { type Secret, secrets } from "#api/core/v1/secret.ts";
import { type ServiceAccount, serviceAccounts } from "#api/core/v1/service-account.ts";
import { dayOf, invalidSinceLabel, lastUsedLabel, trackingConfigMap } from "#api/core/v1/legacy-tokens.ts";
import { rfc3339 } from "#base/clock.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { legacyTokenCleaner } from "./controller.ts";

const dayMs = 24 * 3_600_000;

function setUp(followedDays = 400) {
  const world = startControllerWorld([legacyTokenCleaner]);
  const nowMs = world.clock.nowMs();
  const names = ["unused", "used", "mounted", "young", "broken"];
  const since = dayOf(nowMs - followedDays * dayMs);
  world.seed(configMaps, { metadata: { namespace: "kube-system", name: trackingConfigMap }, data: { since } } as ConfigMap);
  world.seed(serviceAccounts, { metadata: { namespace: "a", name: "s", uid: "1" }, secrets: names.map((name) => ({ name })) } as ServiceAccount);
  const seed = (name: string, days = 500, labels: Record<string, string> = {}): void => {
    const annotations = { "kubernetes.io/service-account.name": "s", "kubernetes.io/service-account.uid": "1" };
    const creationTimestamp = rfc3339(nowMs - days * dayMs);
    const metadata = { namespace: "a", name, annotations, labels, creationTimestamp };
    world.seed(secrets, { metadata, type: "kubernetes.io/service-account-token" } as Secret);
  };
  seed("unused");
  seed("manual");
  seed("used", 500, { [lastUsedLabel]: dayOf(nowMs - 10 * dayMs) });
  seed("broken", 500, { [lastUsedLabel]: "yesterday" });
  seed("mounted");
  seed("young", 300);
  world.seed(pods, { metadata: { namespace: "a", name: "p" }, spec: { containers: [], volumes: [{ name: "v", secret: { secretName: "mounted" } }] } } as never as Pod);
  const told = (): string[] =>
    world.list(secrets).map(({ metadata }) => [metadata.name, metadata.labels?.[invalidSinceLabel]].join(" ").trim()).toSorted();
  return { world, nowMs, told };
}

test("a token that its controller made and nobody used is marked, and deleted a year later", async () => {
  const { world, nowMs, told } = setUp();
  await world.settle();
  const others = ["broken", "manual", "mounted", "used", "young"];
  assert.deepEqual(told(), [...others, `unused ${dayOf(nowMs)}`].toSorted());
  await world.settle(300 * dayMs);
  assert.ok(told().includes(`unused ${dayOf(nowMs)}`));
  await world.settle(70 * dayMs);
  assert.equal(world.get(secrets, "a/unused"), undefined);
  assert.notEqual(world.get(secrets, "a/manual"), undefined);
  assert.deepEqual(world.errors, []);
});

test("while use was not followed for a year, nothing is marked", async () => {
  const { world, told } = setUp(300);
  await world.settle();
  assert.ok(told().includes("unused"));
});

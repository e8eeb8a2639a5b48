import assert from "node:assert/strict";
import { test } from "node:test";
import { type Secret, secrets } from "#api/core/v1/secret.ts";
import { serviceAccounts } from "#api/core/v1/service-account.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { serviceAccountTokenController } from "./controller.ts";

const secret: Secret = {
  metadata: {
    namespace: "a",
    name: "t",
    annotations: { "kubernetes.io/service-account.name": "sa" },
  },
  type: "kubernetes.io/service-account-token",
};

test("a token Secret is filled, and goes with its account", async () => {
  const issueToken = async (claims: object): Promise<string> => JSON.stringify(claims);
  const world = startControllerWorld([serviceAccountTokenController], {
    settings: { rootCa: "PEM", issueToken },
  });
  world.seed(serviceAccounts, { metadata: { namespace: "a", name: "sa", uid: "u1" } });
  world.seed(secrets, secret);
  world.seed(secrets, { metadata: { namespace: "a", name: "other" }, type: "Opaque" });
  await world.settle();
  const data = world.get(secrets, "a/t")?.data ?? {};
  const text = Object.entries(data).map(([key, value]) => [
    key,
    Buffer.from(value, "base64").toString(),
  ]);
  assert.deepEqual(Object.fromEntries(text), {
    token: '{"namespace":"a","secretName":"t","accountName":"sa","accountUid":"u1"}',
    "ca.crt": "PEM",
    namespace: "a",
  });
  assert.equal(
    world.get(secrets, "a/t")?.metadata?.annotations?.["kubernetes.io/service-account.uid"],
    "u1",
  );
  world.api.remove(serviceAccounts, "a/sa");
  await world.settle();
  assert.deepEqual(
    world.list(secrets).map(({ metadata }) => metadata?.name),
    ["other"],
  );
});

test("a token Secret of another account of that name is deleted", async () => {
  const world = startControllerWorld([serviceAccountTokenController], {
    settings: { issueToken: async () => "x" },
  });
  world.seed(serviceAccounts, { metadata: { namespace: "a", name: "sa", uid: "u2" } });
  const annotations = {
    ...secret.metadata?.annotations,
    "kubernetes.io/service-account.uid": "u1",
  };
  world.seed(secrets, { ...secret, metadata: { ...secret.metadata, annotations } });
  await world.settle();
  assert.equal(world.get(secrets, "a/t"), undefined);
});

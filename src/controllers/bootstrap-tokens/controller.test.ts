import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { secrets } from "#api/core/v1/secret.ts";
import { rfc3339 } from "#base/clock.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { tokenCleaner } from "./cleaner.ts";
import { bootstrapSigner } from "./signer.ts";
import { detachedSignature, tokenOf } from "./token.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function secretOf(id: string, more: Record<string, string> = {}) {
  const data = { "token-id": id, "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true", ...more };
  return {
    metadata: { namespace: "kube-system", name: `bootstrap-token-${id}` },
    type: "bootstrap.kubernetes.io/token",
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
  };
}

const on = <T extends { readonly start: unknown }>(controller: T) => ({ ...controller, disabledByDefault: false });

test("cluster-info is signed by tokens that may, until they expire and are deleted", async () => {
  const world = startControllerWorld([on(bootstrapSigner), on(tokenCleaner)]);
  world.seed(configMaps, { metadata: { namespace: "kube-public", name: "cluster-info" }, data: { kubeconfig: "payload", other: "x" } });
  const expiration = rfc3339(world.clock.nowMs() + 60_000);
  world.seed(secrets, secretOf("abcdef", { expiration }));
  world.seed(secrets, secretOf("ghijkl"));
  world.seed(secrets, secretOf("nosign", { "usage-bootstrap-signing": "false" }));
  const keys = () => Object.keys(world.get(configMaps, "kube-public/cluster-info")?.data ?? {}).toSorted();
  await world.settle();
  assert.deepEqual(keys(), ["jws-kubeconfig-abcdef", "jws-kubeconfig-ghijkl", "kubeconfig", "other"]);
  await world.settle(70_000);
  assert.deepEqual(keys(), ["jws-kubeconfig-ghijkl", "kubeconfig", "other"]);
  assert.equal(world.get(secrets, "kube-system/bootstrap-token-abcdef"), undefined);
  assert.notEqual(world.get(secrets, "kube-system/bootstrap-token-ghijkl"), undefined);
  assert.deepEqual(world.errors, []);
});

test("a signature has no payload and names its token", () => {
  const [header, payload, signature] = detachedSignature("payload", { id: "joshua", secret: "my voice is my passcode" }).split(".");
  assert.equal(Buffer.from(header ?? "", "base64url").toString(), '{"alg":"HS256","kid":"joshua"}');
  assert.equal(payload, "");
  assert.equal(Buffer.from(signature ?? "", "base64url").length, 32);
});

for (const [what, secret] of [
  ["another type", { ...secretOf("abcdef"), type: "Opaque" }],
  ["another namespace", { ...secretOf("abcdef"), metadata: { namespace: "a", name: "bootstrap-token-abcdef" } }],
  ["an id that is not its name's", secretOf("abcdef", { "token-id": "ghijkl" })],
  ["no secret", secretOf("abcdef", { "token-secret": "" })],
] as const) {
  test(`a Secret with ${what} is no token`, () => assert.equal(tokenOf(secret), undefined));
}

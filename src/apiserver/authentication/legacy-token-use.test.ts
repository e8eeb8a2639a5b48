import assert from "node:assert/strict";
import { test } from "node:test";
import { type Secret, secrets } from "#api/core/v1/secret.ts";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createClient } from "#client/client.ts";
import { createFakeApi } from "#testing/fake-api.ts";
import { legacyTokenUse } from "./legacy-token-use.ts";

test("the use of a token is written down once a day", async () => {
  const clock = createVirtualClock();
  const api = createFakeApi({ clock, random: createVirtualRandom(1) });
  const client = createClient({ transport: api.transport });
  api.seed(secrets, { metadata: { namespace: "a", name: "s" } } as Secret);
  const secret = (): Secret => api.get(secrets, "a/s") as Secret;
  const note = legacyTokenUse(clock, silentLogger, () => client);
  for (let i = 0; i < 3; i++) note(secret());
  await clock.settle();
  note(secret());
  assert.equal(secret().metadata.labels?.["kubernetes.io/legacy-token-last-used"], "2026-01-01");
  assert.equal(api.requests.length, 1);
  await clock.advance(24 * 3_600_000);
  note(secret());
  await clock.settle();
  assert.equal(secret().metadata.labels?.["kubernetes.io/legacy-token-last-used"], "2026-01-02");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { addRequestOptions, type RequestCliOptions, type RequestFlags, requestFlags } from "./request-flags.ts";

function parsed(...args: string[]): RequestFlags {
  const silent = new Command().exitOverride().configureOutput({ writeErr() {} });
  const command = addRequestOptions(silent).parse(args, { from: "user" });
  return requestFlags(command.opts<RequestCliOptions>());
}

test("defaults are upstream's", () => {
  assert.deepEqual(parsed(), {
    priorityAndFairness: true,
    inFlight: { readOnlyMax: 400, mutatingMax: 200 },
    requestTimeoutMs: 60_000,
    audit: {
      logAgeDaysMax: 366,
      logBackupsMax: 100,
      logSizeMebibytesMax: 100,
      webhookBatching: { bufferMax: 10_000, batchMax: 400, waitMs: 30_000, initialBackoffMs: 10_000 },
    },
  });
});

test("flags are taken over", () => {
  const flags = parsed(
    "--enable-priority-and-fairness=false",
    "--max-requests-inflight=0",
    "--request-timeout=5s",
    "--audit-log-path=/var/log/audit.log",
    "--audit-webhook-batch-max-wait=1s",
  );
  const { priorityAndFairness, inFlight, requestTimeoutMs, audit } = flags;
  assert.deepEqual([priorityAndFairness, inFlight.readOnlyMax, requestTimeoutMs], [false, 0, 5000]);
  assert.deepEqual([audit.logPath, audit.webhookBatching?.waitMs], ["/var/log/audit.log", 1000]);
});

const wrong: readonly [args: string[], message: string][] = [
  [["--max-requests-inflight=-1"], "--max-requests-inflight can not be negative value"],
  [["--max-mutating-requests-inflight=-1"], "--max-mutating-requests-inflight can not be negative value"],
  [
    ["--max-requests-inflight=0", "--max-mutating-requests-inflight=0"],
    "--max-requests-inflight + --max-mutating-requests-inflight must be greater than 0 when --enable-priority-and-fairness is true",
  ],
];

test("what is no number is refused, as Go does", () => {
  const message = /'--max-requests-inflight <count>' argument 'many' is invalid\. strconv\.ParseInt: parsing "many": invalid syntax/;
  assert.throws(() => parsed("--max-requests-inflight=many"), { message });
});

for (const [args, message] of wrong) {
  test(`${args.join(" ")} is refused`, () => assert.throws(() => parsed(...args), { message }));
}

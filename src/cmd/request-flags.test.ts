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
      logFormat: "json",
      log: { mode: "blocking", batching: { bufferMax: 10_000, batchMax: 1, waitMs: 0 } },
      webhookInitialBackoffMs: 10_000,
      webhook: {
        mode: "batch",
        batching: { bufferMax: 10_000, batchMax: 400, waitMs: 30_000, throttle: { qps: 10, burst: 15 } },
      },
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
  assert.deepEqual([audit.logPath, audit.webhook?.batching?.waitMs], ["/var/log/audit.log", 1000]);
});

test("flags of audit backends are taken over", () => {
  const { audit } = parsed(
    "--audit-log-path=-",
    "--audit-log-mode=blocking-strict",
    "--audit-log-format=legacy",
    "--audit-log-truncate-enabled",
    "--audit-webhook-batch-throttle-enable=false",
  );
  assert.deepEqual([audit.logPath, audit.logFormat, audit.log?.mode, audit.log?.eventBytesMax], ["-", "legacy", "blocking-strict", 102_400]);
  assert.equal(audit.webhook?.batching?.throttle, undefined);
});

const wrong: readonly [args: string[], message: string][] = [
  [["--max-requests-inflight=-1"], "--max-requests-inflight can not be negative value"],
  [["--max-mutating-requests-inflight=-1"], "--max-mutating-requests-inflight can not be negative value"],
  [
    ["--max-requests-inflight=0", "--max-mutating-requests-inflight=0"],
    "--max-requests-inflight + --max-mutating-requests-inflight must be greater than 0 when --enable-priority-and-fairness is true",
  ],
  [
    ["--audit-log-path=-", "--audit-log-mode=x", "--audit-log-format=y", "--audit-log-maxage=-1"],
    '[invalid audit log mode x, allowed modes are "batch,blocking,blocking-strict", ' +
      'invalid audit log format y, allowed formats are "legacy,json", --audit-log-maxage -1 can\'t be a negative number]',
  ],
  [
    ["--audit-webhook-config-file=f", "--audit-webhook-batch-throttle-qps=0"],
    "invalid audit batch webhook throttle QPS 0, must be a positive number",
  ],
  [
    ["--audit-log-path=f", "--audit-log-truncate-max-batch-size=5"],
    "invalid audit truncate log max batch size 5, must be greater than max event size (102400)",
  ],
];

test("what is no number is refused, as Go does", () => {
  const message = /'--max-requests-inflight <count>' argument 'many' is invalid\. strconv\.ParseInt: parsing "many": invalid syntax/;
  assert.throws(() => parsed("--max-requests-inflight=many"), { message });
});

for (const [args, message] of wrong) {
  test(`${args.join(" ")} is refused`, () => assert.throws(() => parsed(...args), { message }));
}

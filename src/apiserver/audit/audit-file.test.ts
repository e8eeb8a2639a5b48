import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { createMetricRegistry } from "#base/metrics.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { auditFile, type AuditFileOptions } from "./audit-file.ts";
import { auditErrors } from "./audit-log.ts";

const dayMs = 24 * 3_600_000;

function bench(limits: Partial<Pick<AuditFileOptions, "sizeMaxBytes" | "backupsMax" | "ageMaxMs">>) {
  const clock = createVirtualClock();
  const files = createVirtualFiles();
  const lost = auditErrors(createMetricRegistry()).with("log");
  const base = { files, clock, log: silentLogger, path: "/logs/audit.log", lost, format: "json" as const };
  const backend = auditFile({ ...base, sizeMaxBytes: 0, backupsMax: 0, ageMaxMs: 0, ...limits });
  /** Writes one event, and waits until it is there. */
  const write = async (event: object): Promise<void> => {
    const isThere = await backend.process([event]);
    assert.equal(isThere, lost.value === 0);
    await backend[Symbol.asyncDispose]();
  };
  return { clock, files, lost, backend, write };
}

test("events are lines, in order, escaped as Go does", async () => {
  const { files, backend } = bench({});
  for (let i = 0; i < 3; i++) void backend.process([{ at: i, text: "<\n>" }]);
  await backend[Symbol.asyncDispose]();
  assert.equal(await files.readText("/logs/audit.log"), [0, 1, 2].map((at) => `{"at":${at},"text":"\\u003c\\n\\u003e"}\n`).join(""));
});

test("a full file is put aside; of those only so many, and so old ones, are kept", async () => {
  const { clock, files, write } = bench({ sizeMaxBytes: 20, backupsMax: 2, ageMaxMs: 10 * dayMs });
  for (let at = 0; at < 5; at++) {
    await write({ at, pad: "xxxx" });
    await clock.advance(dayMs);
  }
  assert.deepEqual(await files.list("/logs"), ["audit-2026-01-04T00-00-00.000.log", "audit-2026-01-05T00-00-00.000.log", "audit.log"]);
  assert.equal(await files.readText("/logs/audit.log"), '{"at":4,"pad":"xxxx"}\n');
  assert.equal(await files.readText("/logs/audit-2026-01-05T00-00-00.000.log"), '{"at":3,"pad":"xxxx"}\n');
  await files.write("/logs/audit-notes.log", "not ours");
  await clock.advance(20 * dayMs);
  await write({ at: 5, pad: "xxxx" });
  assert.deepEqual(await files.list("/logs"), ["audit-2026-01-26T00-00-00.000.log", "audit-notes.log", "audit.log"]);
});

test("a file that is there already counts", async () => {
  const { files, write } = bench({ sizeMaxBytes: 30 });
  await files.makeDirectory("/logs");
  await files.write("/logs/audit.log", "x".repeat(29));
  await write({ a: 1 });
  assert.equal((await files.list("/logs")).length, 2);
});

test("a file that somebody took away is begun anew, and nothing is lost", async () => {
  const { files, lost, write } = bench({ sizeMaxBytes: 20 });
  await write({ at: 1, pad: "xxxx" });
  await files.remove("/logs/audit.log");
  await write({ at: 2, pad: "xxxx" });
  assert.equal(await files.readText("/logs/audit.log"), '{"at":2,"pad":"xxxx"}\n');
  assert.equal(lost.value, 0);
});

test("what the disk does not take is counted as lost", async () => {
  const { files, lost, write } = bench({});
  await files.makeDirectory("/logs/audit.log");
  await write({ a: 1 });
  assert.equal(lost.value, 1);
});

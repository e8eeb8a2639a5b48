import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { type LogOptions, readContainerLog } from "./container-log.ts";

const path = "/logs/0.log";
const log = [
  "2026-01-01T00:00:01.000000000Z stdout F one",
  "2026-01-01T00:00:02.000000000Z stderr F two",
  "2026-01-01T00:00:03.000000000Z stdout P thr",
  "2026-01-01T00:00:03.100000000Z stdout F ee",
  "2026-01-01T00:00:04.000000000Z stdout F ",
  "",
].join("\n");

async function read(options: LogOptions): Promise<string> {
  const files = createVirtualFiles();
  await files.makeDirectory("/logs");
  await files.write(path, log);
  const source = {
    files,
    path,
    isLive: () => false,
    onChange: () => ({ [Symbol.dispose]() {} }),
    signal: new AbortController().signal,
  };
  let text = "";
  for await (const chunk of readContainerLog(source, options))
    text += Buffer.from(chunk).toString();
  return text;
}

const rows: readonly (readonly [LogOptions, string])[] = [
  [{}, "one\ntwo\nthree\n\n"],
  [{ tailLines: 2 }, "ee\n\n"],
  [{ tailLines: 0 }, ""],
  [{ tailLines: 99 }, "one\ntwo\nthree\n\n"],
  [{ stream: "Stderr" }, "two\n"],
  [{ sinceMs: Date.parse("2026-01-01T00:00:03Z") }, "three\n\n"],
  [{ limitBytes: 6 }, "one\ntw"],
  [{ timestamps: true, tailLines: 1 }, "2026-01-01T00:00:04.000000000Z \n"],
  [{ follow: true, tailLines: 1 }, "\n"],
];

for (const [options, expected] of rows) {
  test(`readContainerLog with ${JSON.stringify(options)}`, async () => {
    assert.equal(await read(options), expected);
  });
}

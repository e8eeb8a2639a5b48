import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { containerState, type RuntimeContainerStatus } from "../cri/messages.ts";
import { annotationNames } from "./runtime-labels.ts";
import { readTerminationMessages } from "./termination-message.ts";

interface Ended {
  readonly written?: string;
  readonly log?: string;
  readonly policy?: string;
  readonly exitCode?: number;
}

async function messageOf({ written = "", log = "", policy = "File", exitCode = 1 }: Ended): Promise<string | undefined> {
  const files = createVirtualFiles();
  await files.makeDirectory("/pod");
  await files.write("/pod/message", written);
  await files.write("/pod/0.log", log);
  const container = {
    id: "c",
    state: containerState.exited,
    exitCode,
    message: "",
    logPath: "/pod/0.log",
    mounts: [{ containerPath: "/dev/termination-log", hostPath: "/pod/message" }],
    annotations: {
      [annotationNames.terminationMessagePath]: "/dev/termination-log",
      [annotationNames.terminationMessagePolicy]: policy,
    },
  } as unknown as RuntimeContainerStatus;
  const known = new Map<string, string>();
  await readTerminationMessages({ sandboxes: [], containers: [container] }, { known, files });
  return known.get("c");
}

const time = "2026-01-01T00:00:01.000000000Z";
const fallback = "FallbackToLogsOnError";
const rows: readonly (readonly [name: string, Ended, message: string])[] = [
  ["what it wrote", { written: "OK", log: `${time} stdout F log\n`, policy: fallback }, "OK"],
  ["no log unless asked for", { log: `${time} stdout F log\n` }, ""],
  ["no log of success", { log: `${time} stdout F log\n`, policy: fallback, exitCode: 0 }, ""],
  ["full lines", { log: `${time} stdout F a b\n${time} stderr F c\n`, policy: fallback }, "a b\nc\n"],
  ["an end without a newline", { log: `${time} stdout P DONE\n`, policy: fallback }, "DONE"],
  ["80 lines", { log: `${time} stdout F x\n`.repeat(90), policy: fallback }, "x\n".repeat(80)],
  ["2048 bytes", { log: `${time} stdout F ${"y".repeat(3000)}\n`, policy: fallback }, `${"y".repeat(2047)}\n`],
];

for (const [name, ended, message] of rows) {
  test(`termination message: ${name}`, async () => assert.equal(await messageOf(ended), message));
}

import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Logger } from "../log.ts";
import { createVirtualClock } from "../virtual/clock.ts";
import { openLogger, type LoggerOptions } from "./logger.ts";

/** What a logger with these options writes; the process id reads PID. */
async function written(options: LoggerOptions, use: (log: Logger) => void): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "kubets-"));
  const path = join(directory, "log");
  const fd = openSync(path, "a");
  try {
    const startMs = new Date(2026, 10, 25, 2, 13, 50).getTime() + 0.25;
    const log = openLogger({ ...options, fd, clock: createVirtualClock({ startMs }) });
    use(log);
    await log[Symbol.asyncDispose]();
    return readFileSync(path, "utf8").replaceAll(String(process.pid).padStart(7), "    PID");
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}

test("text lines are klog's", async () => {
  const rows: [expected: string, use: (log: Logger) => void][] = [
    ['I1125 02:13:50.000250     PID kubets] "started"\n', (log) => log.info("started")],
    [
      'I1125 02:13:50.000250     PID scheduler] "bound" pod="ns/a" count=3 ok=true node=<nil>\n',
      (log) =>
        log.named("scheduler").info("bound", { pod: "ns/a", count: 3, ok: true, node: undefined }),
    ],
    [
      'E1125 02:13:50.000250     PID kubets] "failed" err="dial: refused: ECONNREFUSED" url="x"\n',
      (log) =>
        log.error("failed", new Error("dial: refused", { cause: new Error("ECONNREFUSED") }), {
          url: "x",
        }),
    ],
    [
      'W1125 02:13:50.000250     PID a/b] "odd \\"thing\\"" list=["x",1]\n',
      (log) =>
        log
          .named("a")
          .named("b")
          .warn('odd "thing"', { list: ["x", 1] }),
    ],
    [
      'I1125 02:13:50.000250     PID kubets] "m" text=<\n\tone\n\ttwo\n >\n',
      (log) => log.info("m", { text: "one\ntwo" }),
    ],
    ["", (log) => log.debug("hidden")],
  ];
  for (const [expected, use] of rows) assert.equal(await written({}, use), expected);
});

test("JSON lines parse and carry name, error and fields", async () => {
  const text = await written({ format: "json", verbosity: 4 }, (log) => {
    log.named("kubelet").debug("probe", { big: 2n ** 60n });
    log.error("failed", "why", { nested: { error: new Error("inner") } });
  });
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ ts, ...rest }) => ({ ...rest, timed: typeof ts })),
    [
      { logger: "kubelet", v: 4, msg: "probe", big: String(2n ** 60n), timed: "number" },
      { level: "error", msg: "failed", err: "why", nested: { error: "inner" }, timed: "number" },
    ],
  );
});

test("lines keep their order when written asynchronously and at the end", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kubets-"));
  const path = join(directory, "log");
  const fd = openSync(path, "a");
  const log = openLogger({ fd });
  for (let i = 0; i < 50; i++) {
    log.info("line", { i });
    if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
  }
  await log[Symbol.asyncDispose]();
  const seen = [...readFileSync(path, "utf8").matchAll(/i=(\d+)/g)].map((match) =>
    Number(match[1]),
  );
  closeSync(fd);
  rmSync(directory, { recursive: true });
  assert.deepEqual(
    seen,
    Array.from({ length: 50 }, (_, i) => i),
  );
});

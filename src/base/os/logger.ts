/**
 * Log lines to a file descriptor.
 *
 * Invariants: 1. Lines leave in the order of the calls. 2. A call never waits for the descriptor;
 * what is pending is bounded, and lines beyond the bound are counted and reported, not kept.
 * 3. What is pending when the process exits is written.
 */
import { write, writeSync } from "node:fs";
import type { Clock } from "../clock.ts";
import { jsonLine, klogText, type LogFormat, type LogLine } from "../log-format.ts";
import type { LogFields, Logger } from "../log.ts";
import { systemClock } from "./clock.ts";
import { errnoOf } from "./io-error.ts";

/** Most text that waits for a slow descriptor. */
export const logPendingCharsMax = 4 << 20;
/** Pause before a full pipe is tried again. */
const retryMs = 10;
/** `debug` lines are upstream's `--v=4`. */
const debugVerbosity = 4;

export interface LoggerOptions {
  /** @default "text" (klog's) */
  readonly format?: "text" | "json";
  /** As `--v`. @default 0 */
  readonly verbosity?: number;
  /** @default 2, standard error */
  readonly fd?: number;
  readonly name?: string;
  readonly clock?: Clock;
}

/** Disposing writes what is pending and waits for it; the descriptor stays open. */
export interface OpenLogger extends Logger, AsyncDisposable {
  /** Writes at once what is pending, without waiting for a write that is under way. */
  flush(): void;
}

export function openLogger(options: LoggerOptions = {}): OpenLogger {
  const sink = openSink(options.fd ?? 2);
  const format: LogFormat = options.format === "json" ? jsonLine : klogText;
  const clock = options.clock ?? systemClock;
  const verbosity = options.verbosity ?? 0;
  const emit = (line: Omit<LogLine, "atMs" | "processId">): void =>
    sink.append(format({ ...line, atMs: clock.nowMs(), processId: process.pid }));
  return {
    ...namedLogger(options.name ?? "", verbosity, emit),
    flush: sink.flush,
    [Symbol.asyncDispose]: sink.close,
  };
}

function namedLogger(
  name: string,
  verbosity: number,
  emit: (line: Omit<LogLine, "atMs" | "processId">) => void,
): Logger {
  const ignore = (): void => undefined;
  const writer =
    (severity: "info" | "warn", level: number) =>
    (message: string, fields?: LogFields): void =>
      emit({ severity, name, verbosity: level, message, fields });
  return {
    info: writer("info", 0),
    debug: verbosity >= debugVerbosity ? writer("info", debugVerbosity) : ignore,
    warn: writer("warn", 0),
    error: (message, error, fields) =>
      emit({ severity: "error", name, verbosity: 0, message, error, fields }),
    named: (child) => namedLogger(name === "" ? child : `${name}/${child}`, verbosity, emit),
  };
}

interface Sink {
  append(text: string): void;
  flush(): void;
  close(): Promise<void>;
}

function openSink(fd: number): Sink {
  let pending: string[] = [];
  let pendingChars = 0;
  let droppedCount = 0;
  /** An asynchronous write is under way. */
  let busy = false;
  let scheduled = false;
  let closing: (() => void) | undefined;

  function append(text: string): void {
    if (pendingChars + text.length > logPendingCharsMax) {
      droppedCount++;
      return;
    }
    pending.push(text);
    pendingChars += text.length;
    if (scheduled || busy) return;
    scheduled = true;
    setImmediate(writePending);
  }

  function take(): Buffer {
    let text = pending.join("");
    if (droppedCount > 0) text += `(${droppedCount} log lines dropped: output too slow)\n`;
    pending = [];
    pendingChars = 0;
    droppedCount = 0;
    return Buffer.from(text);
  }

  function writePending(): void {
    scheduled = false;
    if (!busy && pending.length > 0) writeAsync(take());
  }

  function writeAsync(bytes: Buffer): void {
    busy = true;
    write(fd, bytes, (error, written) => {
      busy = false;
      // A full pipe: try again when the loop comes round. Any other error: nobody to tell.
      const retry = error !== null && error.code === "EAGAIN";
      const rest = retry ? bytes : bytes.subarray(error === null ? written : bytes.length);
      if (retry) setTimeout(() => writeAsync(rest), retryMs);
      else if (rest.length > 0) writeAsync(rest);
      else if (closing === undefined) writePending();
      else closing();
    });
  }

  function flush(): void {
    let bytes = take();
    for (let attempts = 0; bytes.length > 0 && attempts < 1000; attempts++) {
      try {
        bytes = bytes.subarray(writeSync(fd, bytes));
      } catch (error) {
        if (errnoOf(error) !== "EAGAIN") return;
      }
    }
  }

  process.on("exit", flush);
  return {
    append,
    flush,
    async close() {
      if (busy) await new Promise<void>((resolve) => (closing = resolve));
      process.off("exit", flush);
      flush();
    },
  };
}

/**
 * Child processes. Each leads a process group of its own, so that a signal reaches what it
 * started too, and a terminal's interrupt reaches none of them.
 */
import { spawn, type ChildProcess as NodeChild, type StdioOptions } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import { Readable, Writable } from "node:stream";
import { IoError } from "../files.ts";
import type {
  ChildProcess,
  Processes,
  ProcessResult,
  RunOptions,
  SpawnOptions,
} from "../processes.ts";
import { toIoError } from "./io-error.ts";

/** Most output of one kind that `run` collects. */
export const processOutputBytesMax = 64 << 20;

export const systemProcesses: Processes = { run, start };

async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProcessResult> {
  const child = spawnGroup(command, args, options, ["pipe", "pipe", "pipe"]);
  const stdout = collect(child.stdout, () => killGroup(child, "SIGKILL"));
  const stderr = collect(child.stderr, () => killGroup(child, "SIGKILL"));
  feed(child, options.input);
  const code = await ended(child, command, "close", options.signal);
  if (stdout.overflowed || stderr.overflowed) {
    throw new IoError("run", "ENOBUFS", {
      detail: `run ${command}: output exceeds ${processOutputBytesMax} bytes`,
    });
  }
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const { detachedLogPath } = options;
  if (detachedLogPath !== undefined) return startDetached(command, args, options, detachedLogPath);
  const child = spawnGroup(command, args, options, ["pipe", "pipe", "pipe"]);
  if (options.input !== undefined) feed(child, options.input);
  return childProcess(child, ended(child, command, "exit", options.signal));
}

function startDetached(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  logPath: string,
): ChildProcess {
  const log = openLog(logPath);
  try {
    const stdin = options.input === undefined ? "ignore" : "pipe";
    const child = spawnGroup(command, args, options, [stdin, log, log]);
    if (options.input !== undefined) feed(child, options.input);
    child.unref();
    return childProcess(child, ended(child, command, "exit", options.signal));
  } finally {
    closeSync(log);
  }
}

function openLog(path: string): number {
  try {
    return openSync(path, "a", 0o600);
  } catch (error) {
    throw toIoError("open", path, error);
  }
}

function spawnGroup(
  command: string,
  args: readonly string[],
  options: RunOptions,
  stdio: StdioOptions,
): NodeChild {
  if (options.signal?.aborted) {
    throw new IoError("spawn", "ECANCELED", { cause: options.signal.reason });
  }
  try {
    return spawn(command, args, {
      stdio,
      detached: true,
      ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  } catch (error) {
    throw toIoError("spawn", command, error);
  }
}

/** The exit code at `event`; rejects when the child never started. */
function ended(
  child: NodeChild,
  command: string,
  event: "exit" | "close",
  signal: AbortSignal | undefined,
): Promise<number> {
  const abort = (): void => killGroup(child, "SIGKILL");
  signal?.addEventListener("abort", abort, { once: true });
  const exited = new Promise<number>((resolve, reject) => {
    child.on("error", (error) => {
      if (child.pid === undefined) reject(toIoError("spawn", command, error));
    });
    child.once(event, (code: number | null, killedBy: NodeJS.Signals | null) => {
      signal?.removeEventListener("abort", abort);
      resolve(code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]));
    });
  });
  // Whoever started it may only want its streams; who awaits `exited` still sees the rejection.
  exited.catch(() => undefined);
  return exited;
}

function childProcess(child: NodeChild, exited: Promise<number>): ChildProcess {
  return {
    pid: child.pid ?? 0,
    exited,
    stdin: child.stdin ?? new Writable({ write: (_chunk, _encoding, done) => done() }),
    stdout: child.stdout ?? Readable.from([]),
    stderr: child.stderr ?? Readable.from([]),
    kill: (signal) => killGroup(child, signal),
    async [Symbol.asyncDispose]() {
      killGroup(child, "SIGKILL");
      await exited.catch(() => undefined);
    },
  };
}

function killGroup(child: NodeChild, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the whole group has gone already.
  }
}

function feed(child: NodeChild, input: string | Uint8Array | undefined): void {
  // A child that does not read its input closes it early: EPIPE is its choice, not an error.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
}

interface Collected {
  readonly overflowed: boolean;
  text(): string;
}

function collect(stream: Readable | null, overflow: () => void): Collected {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= processOutputBytesMax) chunks.push(chunk);
    else overflow();
  });
  return {
    get overflowed() {
      return sizeBytes > processOutputBytesMax;
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}

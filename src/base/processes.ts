/** Child processes as a port; `os/processes.ts` is real. */
export interface ProcessResult {
  /** Exit code, or 128 + signal number. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  /** On top of this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Aborting kills the child and all that it started (SIGKILL to its process group). */
  readonly signal?: AbortSignal;
}

export interface ChildProcess extends AsyncDisposable {
  /** Zero when it did not start. */
  readonly pid: number;
  /** Resolves with the exit code, or 128 + signal number; rejects (`IoError`) if it never began. */
  readonly exited: Promise<number>;
  readonly stdin: import("node:stream").Writable;
  readonly stdout: import("node:stream").Readable;
  readonly stderr: import("node:stream").Readable;
  /** Signals the whole process group; nothing happens when it has gone. Disposing is SIGKILL. */
  kill(signal: NodeJS.Signals): void;
}

export interface Processes {
  /**
   * Runs to the end and collects the output. Rejects (`IoError`) only when it cannot start, or
   * with ENOBUFS when the output is absurdly large.
   */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<ProcessResult>;
  /** Starts and streams. */
  start(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

export interface SpawnOptions extends RunOptions {
  /** Goes on when this process ends; output goes to this file. */
  readonly detachedLogPath?: string;
}

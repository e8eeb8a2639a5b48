/**
 * Reads a container's log as the runtime writes it, one entry a line:
 *
 *     2026-01-02T03:04:05.678901234Z stdout F the text
 *
 * `P` instead of `F` is a part of a line that goes on in the next entry. Source: CRI logging
 * format, kubelet/kuberuntime/logs.
 */
import { dirname } from "node:path";
import type { FileHandle, Files } from "#base/files.ts";

export interface LogOptions {
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly tailLines?: number | undefined;
  /** Milliseconds since 1970; entries before it are left out. */
  readonly sinceMs?: number | undefined;
  readonly limitBytes?: number | undefined;
  /** @default "All" */
  readonly stream?: "All" | "Stdout" | "Stderr";
}

export interface LogSource {
  readonly files: Files;
  readonly path: string;
  /** Nothing more is written once it is false and the end of the file was reached. */
  readonly isLive: () => boolean;
  /** Calls when `isLive` may have changed. */
  readonly onChange: (changed: () => void) => Disposable;
  readonly signal: AbortSignal;
}

const chunkBytes = 64 * 1024;
/** Longest line kept together; longer ones come in parts. */
const lineBytesMax = 1 << 20;

/** What the container wrote, in chunks; ends with the file, or when following with the container. */
export async function* readContainerLog(
  source: LogSource,
  options: LogOptions,
): AsyncGenerator<Uint8Array> {
  let leftBytes = options.limitBytes ?? Infinity;
  for await (const entry of readEntries(source, options)) {
    const text = shownText(entry, options);
    if (text === undefined) continue;
    const bytes = Buffer.from(text, "latin1");
    if (bytes.length >= leftBytes) {
      yield bytes.subarray(0, leftBytes);
      return;
    }
    leftBytes -= bytes.length;
    yield bytes;
  }
}

/** Undefined when the entry is not wanted. Bytes travel as Latin-1, so that none is lost. */
function shownText(line: string, options: LogOptions): string | undefined {
  const match = /^(\S+) (stdout|stderr) (\S+) ?(.*)$/s.exec(line);
  if (match === null) return undefined;
  const [, timestamp = "", stream = "", tags = "", content = ""] = match;
  const wanted = options.stream ?? "All";
  if (wanted !== "All" && wanted.toLowerCase() !== stream) return undefined;
  if (options.sinceMs !== undefined && Date.parse(timestamp) < options.sinceMs) return undefined;
  const prefix = options.timestamps === true ? `${timestamp} ` : "";
  return `${prefix}${content}${tags.split(":").includes("P") ? "" : "\n"}`;
}

async function* readEntries(source: LogSource, options: LogOptions): AsyncGenerator<string> {
  const { files, path, signal } = source;
  let handle = await files.open(path, {});
  try {
    let offset = options.tailLines === undefined ? 0 : await tailStart(handle, options.tailLines);
    let rest = "";
    using changes = options.follow === true ? watchChanges(source) : undefined;
    for (;;) {
      if (signal.aborted) return;
      const live = source.isLive();
      const bytes = await handle.read(offset, chunkBytes);
      offset += bytes.length;
      const lines = (rest + Buffer.from(bytes).toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > lineBytesMax) {
        lines.push(rest);
        rest = "";
      }
      yield* lines;
      if (bytes.length > 0) continue;
      const current = await files.stat(path);
      if (current !== undefined && current.sizeBytes < offset) {
        // Rotated: what follows stands in a new file of the same name.
        await handle[Symbol.asyncDispose]();
        handle = await files.open(path, {});
        offset = 0;
        continue;
      }
      if (changes === undefined || !live) return;
      await changes.next();
    }
  } finally {
    await handle[Symbol.asyncDispose]();
  }
}

/** Offset of the last `count` lines. Source: logs/tail.go. */
async function tailStart(handle: FileHandle, count: number): Promise<number> {
  const sizeBytes = await handle.sizeBytes();
  if (count === 0) return sizeBytes;
  let found = 0;
  for (let end = sizeBytes; end > 0;) {
    const start = Math.max(0, end - chunkBytes);
    const bytes = await handle.read(start, end - start);
    for (let i = bytes.length - 1; i >= 0; i--) {
      // The newline at the very end closes the last line.
      if (bytes[i] !== 0x0a || start + i === sizeBytes - 1) continue;
      if (++found === count) return start + i + 1;
    }
    end = start;
  }
  return 0;
}

interface Changes extends Disposable {
  /** Resolves at the next change, or at once when there was one since the last call. */
  next(): Promise<void>;
}

function watchChanges({ files, path, onChange, signal }: LogSource): Changes {
  let changed = false;
  let waiting: (() => void) | undefined;
  const tell = (): void => {
    changed = true;
    waiting?.();
  };
  const file = files.watch(dirname(path), tell);
  const state = onChange(tell);
  signal.addEventListener("abort", tell);
  return {
    async next() {
      if (!changed) await new Promise<void>((resolve) => (waiting = resolve));
      changed = false;
      waiting = undefined;
    },
    [Symbol.dispose]() {
      file[Symbol.dispose]();
      state[Symbol.dispose]();
      signal.removeEventListener("abort", tell);
    },
  };
}

import type { Files } from "#base/files.ts";
import type { Logger } from "#base/log.ts";

/** Lines that wait for the disk; beyond this they are dropped, and the log says so. */
const pendingLinesMax = 10_000;

/** Appends lines to a file in order, many at a time. */
export function auditFile(files: Files, path: string, log: Logger): (line: string) => void {
  let pending: string[] = [];
  let isWriting = false;
  let dropped = 0;
  const flush = async (): Promise<void> => {
    isWriting = true;
    while (pending.length > 0) {
      const text = pending.join("");
      pending = [];
      await files.append(path, text).catch((error: unknown) => log.error("audit log not written", error, { path }));
    }
    isWriting = false;
  };
  return (line) => {
    if (pending.length >= pendingLinesMax) {
      if (dropped++ === 0) log.error("audit log is too slow: events are dropped", undefined, { path });
      return;
    }
    pending.push(line);
    if (!isWriting) void flush();
  };
}

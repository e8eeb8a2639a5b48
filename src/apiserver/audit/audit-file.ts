import { basename, dirname, extname, join } from "node:path";
import type { Clock } from "#base/clock.ts";
import type { Files } from "#base/files.ts";
import type { Logger } from "#base/log.ts";
import type { Counter } from "#base/metrics.ts";
import { type AuditFormat, lineSink } from "./audit-lines.ts";
import type { AuditSink } from "./audit-sink.ts";

export interface AuditFileOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  readonly path: string;
  /** The file is put aside before it grows beyond this; 0 for never. */
  readonly sizeMaxBytes: number;
  /** Files put aside that are kept; 0 for all. */
  readonly backupsMax: number;
  /** How old they may get; 0 for any age. */
  readonly ageMaxMs: number;
  readonly format: AuditFormat;
  /** Lines that were lost. */
  readonly lost: Counter;
}

/**
 * Appends one line for each event, in order, many at a time. A full file is renamed to
 * `NAME-TIME.EXT` and a new one begun. Source: gopkg.in/natefinch/lumberjack.
 */
export function auditFile(options: AuditFileOptions): AuditSink {
  const { files, path } = options;
  const place = rotatingFile(options);
  return lineSink({
    ...options,
    async write(lines) {
      await place.makeRoom(lines);
      await files.append(path, lines.join(""));
    },
    onFailure: () => place.forget(),
  });
}

interface RotatingFile {
  /** Puts the file aside when the lines do not fit. */
  makeRoom(lines: readonly string[]): Promise<void>;
  /** Something failed: how large the file is must be asked anew. */
  forget(): void;
}

function rotatingFile({ files, clock, log, path, sizeMaxBytes, backupsMax, ageMaxMs }: AuditFileOptions): RotatingFile {
  let sizeBytes: number | undefined;
  const directory = dirname(path);
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;

  function backupName(nowMs: number): string {
    return `${prefix}${new Date(nowMs).toISOString().replace("Z", "").replaceAll(":", "-")}${extension}`;
  }

  /** The time in a backup's name; undefined for other files. */
  function timeOf(name: string): number | undefined {
    if (!name.startsWith(prefix) || !name.endsWith(extension)) return undefined;
    const text = name.slice(prefix.length, name.length - extension.length);
    const match = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(text);
    return match === null ? undefined : Date.parse(`${match[1]}:${match[2]}:${match[3]}Z`);
  }

  async function removeOld(nowMs: number): Promise<void> {
    const backups = (await files.list(directory)).filter((name) => timeOf(name) !== undefined).toSorted().toReversed();
    const old = backups.filter((name, i) => {
      const isTooMany = backupsMax > 0 && i >= backupsMax;
      return isTooMany || (ageMaxMs > 0 && nowMs - (timeOf(name) ?? nowMs) > ageMaxMs);
    });
    for (const name of old) await files.remove(join(directory, name));
  }

  async function askSize(): Promise<number> {
    await files.makeDirectory(directory);
    return (await files.stat(path))?.sizeBytes ?? 0;
  }

  return {
    async makeRoom(lines) {
      const addedBytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
      const isFull = (size: number): boolean => sizeMaxBytes > 0 && size > 0 && size + addedBytes > sizeMaxBytes;
      // Somebody may have taken the file away since.
      if (sizeBytes === undefined || isFull(sizeBytes)) sizeBytes = await askSize();
      if (isFull(sizeBytes)) {
        const nowMs = clock.nowMs();
        await files.rename(path, join(directory, backupName(nowMs)));
        sizeBytes = 0;
        await removeOld(nowMs).catch((error: unknown) => log.error("old audit logs not removed", error, { directory }));
      }
      sizeBytes += addedBytes;
    },
    forget() {
      sizeBytes = undefined;
    },
  };
}

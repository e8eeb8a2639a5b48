/** Events as lines of text. Source: plugin/pkg/audit/log, apiserver/pkg/audit/format.go. */
import type { Logger } from "#base/log.ts";
import type { Counter } from "#base/metrics.ts";
import { goQuote } from "#apimachinery/field-error.ts";
import { writeJsonText } from "#wire/json.ts";
import type { AuditSink } from "./audit-sink.ts";

export type AuditFormat = "json" | "legacy";

interface User {
  readonly username?: string;
  readonly groups?: readonly string[];
}

interface AuditEvent {
  readonly auditID?: string;
  readonly stage?: string;
  readonly verb?: string;
  readonly requestURI?: string;
  readonly user?: User;
  readonly impersonatedUser?: User;
  readonly sourceIPs?: readonly string[];
  readonly userAgent?: string;
  readonly objectRef?: { readonly namespace?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp?: string;
}

export function auditLine(event: object, format: AuditFormat): string {
  return `${format === "json" ? writeJsonText(event) : legacyText(event)}\n`;
}

function legacyText(event: AuditEvent): string {
  const { user, impersonatedUser, objectRef, responseStatus, sourceIPs = [], requestReceivedTimestamp = "" } = event;
  const quoted = (groups: readonly string[]): string => groups.map((group) => goQuote(group)).join(",");
  const name = user?.username ?? "";
  const fields = {
    id: event.auditID ?? "",
    stage: event.stage ?? "",
    ip: sourceIPs[0] ?? "<unknown>",
    method: event.verb ?? "",
    user: name || "<none>",
    groups: name !== "" && user?.groups?.length ? quoted(user.groups) : "<none>",
    as: impersonatedUser === undefined ? "<self>" : (impersonatedUser.username ?? ""),
    asgroups: impersonatedUser?.groups === undefined ? "<lookup>" : quoted(impersonatedUser.groups),
    "user-agent": event.userAgent ?? "",
    namespace: objectRef?.namespace || "<none>",
    uri: event.requestURI ?? "",
    response: responseStatus === undefined ? "<deferred>" : String(responseStatus.code ?? 0),
  };
  const told = Object.entries(fields).map(([field, value]) => `${field}=${goQuote(value)}`);
  return `${requestReceivedTimestamp.replace(/\.?0+Z$/, "Z")} AUDIT: ${told.join(" ")}`;
}

export interface LineSinkOptions {
  readonly format: AuditFormat;
  readonly log: Logger;
  readonly lost: Counter;
  /** Writes lines, as one text or a few. */
  readonly write: (lines: readonly string[]) => Promise<void>;
  /** A write failed. */
  readonly onFailure?: () => void;
}

/** Lines that wait while others are written; beyond this they are dropped, and the log says so. */
const pendingLinesMax = 10_000;

interface Batch {
  readonly lines: string[];
  readonly written: PromiseWithResolvers<boolean>;
}

/** Writes in order, one write at a time, whatever has come meanwhile with the next. */
export function lineSink({ format, log, lost, write, onFailure }: LineSinkOptions): AuditSink {
  let next: Batch = newBatch();
  let writing: Promise<void> | undefined;
  let isDropping = false;

  async function flush(): Promise<void> {
    while (next.lines.length > 0) {
      const { lines, written } = next;
      next = newBatch();
      try {
        await write(lines);
        isDropping = false;
        written.resolve(true);
      } catch (error) {
        onFailure?.();
        lost.inc(lines.length);
        log.error("audit log not written", error, {});
        written.resolve(false);
      }
    }
    writing = undefined;
  }

  return {
    async process(events) {
      if (next.lines.length + events.length > pendingLinesMax) {
        lost.inc(events.length);
        if (!isDropping) log.error("audit log is too slow: events are dropped", undefined, {});
        isDropping = true;
        return false;
      }
      for (const event of events) next.lines.push(auditLine(event, format));
      const { written } = next;
      writing ??= Promise.resolve().then(flush);
      return written.promise;
    },
    hurry() {},
    async [Symbol.asyncDispose]() {
      await writing;
    },
  };
}

function newBatch(): Batch {
  return { lines: [], written: Promise.withResolvers<boolean>() };
}

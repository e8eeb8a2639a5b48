/** Exec and attach from the client's side, over SPDY: towards a kubelet or a container runtime. */
import { errorMessage } from "#base/error-message.ts";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { IoError } from "#base/files.ts";
import type { HttpClient } from "#base/http.ts";
import {
  expectedStreams,
  spdyRemoteCommandProtocols,
  type RemoteCommandRequest,
  type RemoteCommandSession,
  type RemoteCommandStatus,
  type TerminalSize,
} from "./remote-command.ts";
import { dialSpdy, type DialSpdyOptions } from "./spdy-upgrade.ts";
import type { SpdySession, SpdyStream } from "./spdy.ts";

/** A running command. Streams that were not asked for are undefined. */
export interface RemoteCommand {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  resize(size: TerminalSize): void;
  /** How the command went. Rejects (`IoError`) when the connection broke before that was told. */
  readonly status: Promise<RemoteCommandStatus>;
  close(): void;
}

/** Errors: as `dialSpdy`. */
export async function dialRemoteCommand(
  client: HttpClient,
  request: RemoteCommandRequest,
  options: DialSpdyOptions,
): Promise<RemoteCommand> {
  const { session, protocol } = await dialSpdy(client, spdyRemoteCommandProtocols, options);
  const version = Number(/^v(\d)/.exec(protocol)?.[1] ?? 1);
  const streams = new Map<string, SpdyStream>();
  for (const streamtype of expectedStreams(request, version)) {
    streams.set(streamtype, session.createStream({ streamtype }));
  }
  const error = streams.get("error") as SpdyStream;
  const status = readStatus(error, version);
  status.catch(() => undefined);
  endOnAbort(session, options.signal);
  streams.get("stdin")?.resume();
  return {
    stdin: streams.get("stdin"),
    stdout: streams.get("stdout"),
    stderr: streams.get("stderr"),
    resize({ width, height }) {
      streams.get("resize")?.write(`${JSON.stringify({ Width: width, Height: height })}\n`);
    },
    status,
    close: () => session.close(),
  };
}

function endOnAbort(session: SpdySession, signal: AbortSignal | undefined): void {
  const abort = (): void => session[Symbol.dispose]();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  void session.closed.then(() => signal?.removeEventListener("abort", abort));
}

async function readStatus(error: SpdyStream, version: number): Promise<RemoteCommandStatus> {
  let text = "";
  for await (const chunk of error) text += String(chunk);
  if (version < 4)
    return text === "" ? { status: "Success" } : { status: "Failure", message: text };
  if (text === "") {
    const detail = "connection closed before the command's status was received";
    throw new IoError("exec", "ECONNRESET", { detail });
  }
  try {
    return JSON.parse(text) as RemoteCommandStatus;
  } catch (cause) {
    throw new IoError("exec", "EPROTO", { cause, detail: `bad command status: ${text}` });
  }
}

/**
 * Joins a client to a command that runs elsewhere, until the command ends or the client leaves.
 * So an API server or kubelet translates WebSocket to SPDY.
 */
export async function bridgeRemoteCommand(
  session: RemoteCommandSession,
  command: RemoteCommand,
): Promise<void> {
  const leave = (): void => command.close();
  session.signal.addEventListener("abort", leave, { once: true });
  if (session.stdin !== undefined && command.stdin !== undefined) session.stdin.pipe(command.stdin);
  session.onResize((size) => command.resize(size));
  const outputs = [
    pipeOutput(command.stdout, session.stdout),
    pipeOutput(command.stderr, session.stderr),
  ];
  const status = await command.status.catch((error: unknown): RemoteCommandStatus => ({
    status: "Failure",
    reason: "InternalError",
    code: 500,
    message: errorMessage(error),
  }));
  await Promise.all(outputs);
  session.signal.removeEventListener("abort", leave);
  await session.finish(status);
  command.close();
}

/** Resolves when all output was passed on; the session ends its side itself. */
async function pipeOutput(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from === undefined) return;
  if (to === undefined) from.resume();
  else from.pipe(to, { end: false });
  await finished(from, { writable: false }).catch(() => undefined);
}

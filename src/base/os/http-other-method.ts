/**
 * Requests with a method that Node's parser does not know. To net/http every token is a method, and
 * its handlers say what they think of it.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { errnoOf } from "./io-error.ts";
import { nodeHttp } from "./node-http.ts";

export interface OtherMethodLimits {
  readonly headerBytesMax: number;
  readonly headersMs: number;
}

/** What Node's parser tells with `clientError`, where it stopped. */
export interface OtherMethodError extends Error {
  readonly rawPacket: Buffer;
  readonly bytesParsed: number;
}

export function isOtherMethod(error: Error): error is OtherMethodError {
  return errnoOf(error) === "HPE_INVALID_METHOD" && "rawPacket" in error && "bytesParsed" in error;
}

/** A request without its body, or why there is none: the words of `answerClientError`. */
export type OtherMethodOutcome = IncomingMessage | Error;

/**
 * Reads on where the parser gave up, until the head of the request is complete. `done` is called once, unless the client
 * leaves; the parser sees nothing more of the connection.
 */
export function readOtherMethod(
  socket: Socket,
  error: OtherMethodError,
  { limits, done }: { readonly limits: OtherMethodLimits; readonly done: (outcome: OtherMethodOutcome) => void },
): void {
  let head = error.rawPacket.subarray(methodStart(error.rawPacket, error.bytesParsed));
  const timer = setTimeout(() => finish(coded("ERR_HTTP_REQUEST_TIMEOUT")), limits.headersMs);
  const finish = (outcome: OtherMethodOutcome): void => {
    clearTimeout(timer);
    socket.off("data", onData);
    // A body is swallowed: a connection that closes over unread bytes is reset.
    socket.resume();
    done(outcome);
  };
  const look = (): void => {
    const end = head.indexOf("\r\n\r\n");
    if (end > limits.headerBytesMax || (end < 0 && head.length > limits.headerBytesMax)) {
      finish(coded("HPE_HEADER_OVERFLOW"));
    } else if (end >= 0) finish(parseHead(socket, head.toString("latin1", 0, end)) ?? error);
    else if (!methodPattern.test(head.toString("latin1", 0, 256))) finish(error);
  };
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    look();
  };
  socket.once("close", () => clearTimeout(timer));
  // The parser would complain of each packet anew.
  socket.removeAllListeners("data");
  socket.on("data", onData);
  look();
}

const methodPattern = /^[\w!#$%&'*+.^`|~-]+( |$)/;
const requestLine = /^([\w!#$%&'*+.^`|~-]+) (\S+) HTTP\/1\.([01])$/;
const headerLine = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/;

/** What stands before the byte that no method has was part of the method, back to the request before. */
function methodStart(packet: Buffer, at: number): number {
  let start = at;
  while (start > 0 && /[\w!#$%&'*+.^`|~-]/.test(String.fromCharCode(packet[start - 1] ?? 0))) start--;
  return start;
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Undefined for a head that is none. */
function parseHead(socket: Socket, text: string): IncomingMessage | undefined {
  const [first = "", ...lines] = text.split("\r\n");
  const [, method, url, minor] = requestLine.exec(first) ?? [];
  if (method === undefined || url === undefined) return undefined;
  const request = new nodeHttp.IncomingMessage(socket);
  Object.assign(request, { method, url, httpVersionMajor: 1, httpVersionMinor: Number(minor), httpVersion: `1.${minor}` });
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    request.rawHeaders.push(name, value);
    const key = name.toLowerCase();
    const known = headers.get(key);
    if (known === undefined) headers.set(key, value);
    else if (!singular.has(key)) headers.set(key, `${known}, ${value}`);
  }
  request.headers = Object.fromEntries(headers);
  request.push(null);
  return request;
}

/** Of these the first counts, as with Node. */
const singular: ReadonlySet<string> = new Set(["host", "authorization", "content-type", "content-length", "user-agent"]);

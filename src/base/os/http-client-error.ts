import type { Duplex } from "node:stream";
import { errnoOf } from "./io-error.ts";

interface Answer {
  readonly status: string;
  readonly body: string;
}

/** What net/http says to requests that it cannot read. */
const answers = new Map<string, Answer>([
  [
    "HPE_HEADER_OVERFLOW",
    {
      status: "431 Request Header Fields Too Large",
      body: "431 Request Header Fields Too Large",
    },
  ],
  ["unknown encoding", { status: "501 Not Implemented", body: "Unsupported transfer encoding" }],
  ["ERR_HTTP_REQUEST_TIMEOUT", { status: "408 Request Timeout", body: "408 Request Timeout" }],
  [
    "missing host",
    {
      status: "400 Bad Request: missing required Host header",
      body: "400 Bad Request: missing required Host header",
    },
  ],
]);
const badRequest: Answer = { status: "400 Bad Request", body: "400 Bad Request" };

/** Answers on the bare connection, then closes it; says nothing when the client left. */
export function answerClientError(
  socket: Duplex,
  problem: Error | "missing host" | "unknown encoding",
): void {
  const code = problem instanceof Error ? errnoOf(problem) : problem;
  if (socket.writableEnded) return;
  if (code === "ECONNRESET" || code === "EPIPE" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = answers.get(code) ?? badRequest;
  const head = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${body}`);
}

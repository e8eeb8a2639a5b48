import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as requestTls } from "node:https";
import { pipeline } from "node:stream/promises";
import { IoError } from "../files.ts";
import type { HttpHeaders, HttpRequestOptions, HttpResponse } from "../http.ts";
import { dialError, dialMs, tlsOptions } from "./dial.ts";
import { goneError } from "./http-body.ts";
import type { HttpTarget, HttpTransport } from "./http-client.ts";
import { httpResponse, watchDeadline } from "./http-client-response.ts";
import { errnoOf } from "./io-error.ts";
import { nodeHttp } from "./node-http.ts";

/** An idle connection is kept this long. Source: Go's `IdleConnTimeout`. */
const idleMs = 90_000;
/** Headers of one answer. Source: net/http `MaxResponseHeaderBytes`. */
const headerBytesMax = 10 << 20;

export function createHttp1Transport(target: HttpTarget): HttpTransport {
  let agent = createAgent(target);

  async function send(options: HttpRequestOptions): Promise<HttpResponse> {
    for (;;) {
      options.signal?.throwIfAborted();
      const result = await exchange(target, agent, options);
      // A kept connection closed under the request: the server has not seen it.
      if (result !== "stale") return result;
    }
  }

  function replaceAgent(): void {
    const old = agent;
    agent = createAgent(target);
    // Idle connections end now, those in use when their answer does.
    for (const sockets of Object.values(old.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
    old.keepAlive = false;
  }

  return { send, retire: replaceAgent, [Symbol.dispose]: () => agent.destroy() };
}

type KeepingAgent = Agent & { keepAlive: boolean };

function createAgent({ secure, keepAlive }: HttpTarget): KeepingAgent {
  const options = { keepAlive, timeout: idleMs, scheduling: "lifo" } as const;
  return (secure ? new TlsAgent(options) : new nodeHttp.Agent(options)) as KeepingAgent;
}

function exchange(
  target: HttpTarget,
  agent: Agent,
  options: HttpRequestOptions,
): Promise<HttpResponse | "stale"> {
  const request = begin(target, agent, options);
  limitConnecting(request, target);
  const deadline = watchDeadline(options, () => request.destroy());
  return new Promise((resolve, reject) => {
    let answered = false;
    request.once("response", (response) => {
      answered = true;
      deadline.stopTimer();
      resolve(responseOf(response));
    });
    request.on("error", (error) => {
      if (answered) return;
      if (deadline.reason !== undefined) reject(deadline.reason);
      else if (request.reusedSocket && isReplayable(options)) resolve("stale");
      else reject(requestError(target, error));
    });
    request.once("close", () => {
      deadline[Symbol.dispose]();
      if (!answered) reject(deadline.reason ?? goneError("request"));
    });
    sendBody(request, options.body);
  });
}

function begin(target: HttpTarget, agent: Agent, options: HttpRequestOptions): ClientRequest {
  const { address, authority, secure } = target;
  const { body } = options;
  const headers: Record<string, string | string[]> = { host: authority };
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    headers[name] = typeof value === "string" ? value : [...value];
  }
  if (typeof body === "string" || body instanceof Uint8Array) {
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  return (secure ? requestTls : nodeHttp.request)({
    ...("socketPath" in address ? address : { host: address.host, port: address.port }),
    ...(secure ? { ...tlsOptions(address, target.tls()), ALPNProtocols: ["http/1.1"] } : {}),
    agent,
    method: options.method,
    path: options.path,
    headers,
    setHost: false,
    maxHeaderSize: headerBytesMax,
  });
}

/** Gives up when the connection is not there in time; the handshake counts. */
function limitConnecting(request: ClientRequest, target: HttpTarget): void {
  const { connectMs = dialMs, secure } = target;
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const late = (): void => void request.destroy(new IoError("dial", "ETIMEDOUT"));
    const timer = setTimeout(late, connectMs);
    const done = (): void => clearTimeout(timer);
    socket.once(secure ? "secureConnect" : "connect", done).once("close", done);
  });
}

function isReplayable({ method, body }: HttpRequestOptions): boolean {
  const idempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].includes(method);
  return idempotent && (typeof body !== "object" || body instanceof Uint8Array);
}

function responseOf(response: IncomingMessage): HttpResponse {
  const head = {
    status: response.statusCode ?? 0,
    headers: response.headers as HttpHeaders,
    rawHeaders: response.rawHeaders,
  };
  response.on("error", () => undefined);
  return httpResponse(head, response, () => void response.destroy());
}

function sendBody(request: ClientRequest, body: HttpRequestOptions["body"]): void {
  if (body === undefined) request.end();
  else if (typeof body === "string" || body instanceof Uint8Array) request.end(body);
  else {
    // The server may answer before the body begins. A failed source breaks the request off.
    request.flushHeaders();
    pipeline(body, request).catch(() => request.destroy());
  }
}

function requestError(target: HttpTarget, error: Error): Error {
  const code = errnoOf(error);
  if (code === "ECONNRESET" || code === "EPIPE") return goneError("request");
  return dialError(target.address, error);
}

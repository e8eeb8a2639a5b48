import type {
  HttpHeaders,
  HttpResponseHeaders,
  HttpUpgradeOptions,
  HttpUpgradeResult,
} from "../http.ts";
import { dial, dialTls } from "./dial.ts";
import { goneError } from "./http-body.ts";
import type { HttpTarget } from "./http-client.ts";
import { httpResponse } from "./http-client-response.ts";
import { toIoError } from "./io-error.ts";
import { nodeHttp } from "./node-http.ts";

/**
 * Asks to change protocol on a new HTTP/1.1 connection. A refusal comes back as the server's
 * answer; its connection closes once the answer was read or discarded.
 */
export async function requestUpgrade(
  target: HttpTarget,
  options: HttpUpgradeOptions,
): Promise<HttpUpgradeResult> {
  const { signal } = options;
  const dialOptions = { signal, timeoutMs: target.connectMs };
  const socket = target.secure
    ? await dialTls(target.address, { ...target.tls(), alpn: ["http/1.1"] }, dialOptions)
    : await dial(target.address, dialOptions);
  socket.on("error", () => undefined);
  const request = nodeHttp.request({
    createConnection: () => socket,
    method: options.method ?? "GET",
    path: options.path,
    headers: { host: target.authority, ...plain(options.headers), connection: "Upgrade" },
    setHost: false,
  });
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      socket.destroy();
      reject(signal?.reason);
    };
    const settle = (): void => signal?.removeEventListener("abort", abort);
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    request.once("upgrade", (response, upgraded, head) => {
      settle();
      resolve({ upgraded: true, headers: response.headers as HttpHeaders, socket: upgraded, head });
    });
    request.once("response", (response) => {
      settle();
      const head = {
        status: response.statusCode ?? 0,
        headers: response.headers as HttpHeaders,
        rawHeaders: response.rawHeaders,
      };
      response.once("close", () => socket.destroy());
      resolve({ upgraded: false, response: httpResponse(head, response, () => socket.destroy()) });
    });
    request.once("error", (error) => {
      settle();
      reject(toIoError("upgrade", target.authority, error));
    });
    request.once("close", () => {
      settle();
      reject(goneError("upgrade"));
    });
    request.end();
  });
}

function plain(headers: HttpResponseHeaders): Record<string, string | string[]> {
  const all: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    all[name] = typeof value === "string" ? value : [...value];
  }
  return all;
}

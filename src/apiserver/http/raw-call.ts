import type { HttpExchange, HttpResponseHeaders } from "#base/http.ts";
import { unknownResource } from "#apimachinery/status.ts";
import type { RawRequest } from "#client/transport.ts";
import type { User } from "../call.ts";
import { type PathHandler, splitUrl } from "./frontend.ts";

/** Serves a path that is no resource to a component of this process: the answer's JSON or text. */
export async function rawCall(
  paths: readonly PathHandler[],
  request: RawRequest,
  user: User,
): Promise<unknown> {
  const { path, query } = splitUrl(request.path);
  const capture = new CapturedExchange(request);
  for (const handler of paths) {
    const exchange = capture as unknown as HttpExchange;
    if (await handler({ exchange, path, query, user })) return capture.result();
  }
  throw unknownResource();
}

/** As much of an exchange as path handlers use. */
class CapturedExchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  #body = "";
  #contentType = "";

  constructor(request: RawRequest) {
    this.method = request.method;
    this.url = request.path;
    this.headers = { accept: request.accept ?? "application/json" };
    this.signal = request.signal ?? new AbortController().signal;
  }

  respond(_status: number, headers: HttpResponseHeaders, body: string | Uint8Array = ""): void {
    this.#contentType = String(headers["content-type"] ?? "");
    this.#body = typeof body === "string" ? body : Buffer.from(body).toString("utf8");
  }

  result(): unknown {
    return this.#contentType.includes("json") ? (JSON.parse(this.#body) as unknown) : this.#body;
  }
}

import type { Clock } from "#base/clock.ts";
import type { HttpClient } from "#base/http.ts";
import { isStatusError } from "#apimachinery/status.ts";
import { parseJson } from "#wire/json.ts";
import { resolveEndpoint, type ServiceEndpoints } from "./service-endpoint.ts";

/** Clients kept for webhooks that were called; the one unused longest goes first. */
export const webhookClientsMax = 200;
/** Longest answer of a webhook. */
export const webhookAnswerBytesMax = 16 * 1024 * 1024;

/** Where a webhook is: the `clientConfig` of admission and of conversion webhooks. */
export interface WebhookTarget {
  readonly url?: string | undefined;
  readonly service?:
    | {
        readonly namespace: string;
        readonly name: string;
        readonly path?: string | undefined;
        readonly port?: number | undefined;
      }
    | undefined;
  /** PEM in base64; the machine's own roots when absent. */
  readonly caBundle?: string | undefined;
}

export interface WebhookCall {
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A call that brought no usable answer; the message is what client-go says. */
export class WebhookCallError extends Error {
  override readonly name = "WebhookCallError";
}

export interface WebhookClients extends AsyncDisposable {
  /**
   * POSTs JSON and returns the answer's JSON. Errors: `WebhookCallError`, or the signal's reason.
   */
  post(target: WebhookTarget, call: WebhookCall): Promise<unknown>;
}

export interface OpenWebhook {
  readonly baseUrl: string;
  readonly serverName?: string;
  /** PEM. */
  readonly ca?: string;
}

export interface WebhookClientOptions extends ServiceEndpoints {
  readonly clock: Clock;
  readonly open: (target: OpenWebhook) => HttpClient;
}

/** Source: apiserver/pkg/util/webhook/client.go. */
export function createWebhookClients(options: WebhookClientOptions): WebhookClients {
  const clients = new Map<string, HttpClient>();

  function clientOf(target: OpenWebhook): HttpClient {
    const key = JSON.stringify(target);
    const client = clients.get(key) ?? options.open(target);
    clients.delete(key);
    clients.set(key, client);
    const [oldest] = clients;
    if (clients.size > webhookClientsMax && oldest !== undefined) {
      clients.delete(oldest[0]);
      void oldest[1][Symbol.asyncDispose]();
    }
    return client;
  }

  return {
    async post(target, call) {
      const place = placeOf(target);
      const timeout = `timeout=${Math.ceil(call.timeoutMs / 1000)}s`;
      const path = `${place.path}?${timeout}`;
      const controller = new AbortController();
      using _timer = options.clock.after(call.timeoutMs, () => controller.abort(deadline));
      const signal = AbortSignal.any([call.signal, controller.signal]);
      try {
        const { client, host } = dial(options, { target, place, clientOf });
        const headers = {
          host,
          "content-type": "application/json",
          accept: "application/json, */*",
        };
        const response = await client.request({
          method: "POST",
          path,
          headers,
          body: call.body,
          signal,
        });
        const bytes = await response.readAll(webhookAnswerBytesMax);
        return readAnswer(response.status, bytes);
      } catch (error) {
        if (call.signal.aborted) throw call.signal.reason;
        if (error instanceof WebhookCallError) throw error;
        const why = controller.signal.aborted ? deadline : (error as Error);
        throw new WebhookCallError(`Post ${JSON.stringify(place.origin + path)}: ${why.message}`);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...clients.values()].map((client) => client[Symbol.asyncDispose]()));
      clients.clear();
    },
  };
}

const deadline = new Error("context deadline exceeded");
const portDefault = 443;

interface Place {
  /** `https://name.namespace.svc:443`, as errors show it. */
  readonly origin: string;
  readonly host: string;
  readonly path: string;
}

function placeOf({ url, service }: WebhookTarget): Place {
  if (service !== undefined) {
    const host = `${service.name}.${service.namespace}.svc:${service.port ?? portDefault}`;
    const path = service.path ?? "";
    return { origin: `https://${host}`, host, path: path.startsWith("/") ? path : `/${path}` };
  }
  if (!url) throw new WebhookCallError("webhook configuration must have either service or URL");
  const parsed = URL.parse(url);
  if (parsed === null)
    throw new WebhookCallError(`Unparsable URL: parse ${JSON.stringify(url)}: invalid URI`);
  return { origin: parsed.origin, host: parsed.host, path: parsed.pathname };
}

interface Dialed {
  readonly target: WebhookTarget;
  readonly place: Place;
  readonly clientOf: (target: OpenWebhook) => HttpClient;
}

/** Services are reached at an endpoint, under the name that their certificate must have. */
function dial(
  options: WebhookClientOptions,
  { target, place, clientOf }: Dialed,
): { client: HttpClient; host: string } {
  const { service, caBundle } = target;
  const ca = caBundle ? { ca: Buffer.from(caBundle, "base64").toString("utf8") } : {};
  if (service === undefined)
    return { client: clientOf({ baseUrl: place.origin, ...ca }), host: place.host };
  const { namespace, name, port = portDefault } = service;
  const endpoint = resolveEndpoint(options, { namespace, name, port });
  const address = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  const serverName = `${name}.${namespace}.svc`;
  const client = clientOf({ baseUrl: `https://${address}:${endpoint.port}`, serverName, ...ca });
  return { client, host: place.host };
}

function readAnswer(status: number, bytes: Uint8Array): unknown {
  if (status >= 200 && status < 300) {
    try {
      return parseJson(bytes);
    } catch (error) {
      throw new WebhookCallError(
        `couldn't get version/kind; json parse error: ${(error as Error).message}`,
      );
    }
  }
  throw new WebhookCallError(refusalText(status, Buffer.from(bytes).toString("utf8").trim()));
}

const refusals: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  404: "the server could not find the requested resource",
  409: "the server reported a conflict",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
};

/**
 * What client-go makes of an answer without a Status. Source: api/errors NewGenericServerResponse.
 */
function refusalText(status: number, body: string): string {
  const known = refusals[status];
  if (known !== undefined) return known;
  if (status >= 500) {
    const shown = JSON.stringify(body === "" ? "unknown" : body);
    return `an error on the server (${shown}) has prevented the request from succeeding`;
  }
  return `the server responded with the status code ${status} but did not return more information`;
}

/** True for what a failed call throws, as opposed to a request that was given up. */
export function isCallFailure(error: unknown): error is Error {
  return error instanceof WebhookCallError || isStatusError(error);
}

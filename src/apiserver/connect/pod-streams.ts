import type { Pod } from "#api/core/v1/pod.ts";
import { BodyTooLargeError } from "#base/http.ts";
import { type FieldError, forbidden, invalid } from "#apimachinery/field-error.ts";
import { badRequest, failure, internal, invalidStatus } from "#apimachinery/status.ts";
import { proxyUpgrade } from "#wire/upgrade-proxy.ts";
import { isWebSocketRequest } from "#wire/websocket.ts";
import { streamOverWebSocket } from "#wire/websocket-stream.ts";
import type { ConnectHandler, ConnectRequest } from "../http/frontend.ts";
import { get } from "../rest/list.ts";
import type { KubeletClients } from "./kubelet-client.ts";
import { containerOf, nodeOf } from "./pod-location.ts";

/** Longest error text of a kubelet that is passed on. */
const errorBytesMax = 64 * 1024;

async function podOf({ endpoint, call }: ConnectRequest): Promise<Pod> {
  return (await get(endpoint, call)).object as Pod;
}

function pathOf(parts: readonly string[], query: URLSearchParams): string {
  const text = query.toString();
  return `/${parts.map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

/** GET pods/NAME/log: the kubelet's text, streamed as it comes; over a WebSocket if asked for one. */
export function podLog(kubelets: KubeletClients): ConnectHandler {
  return async (request) => {
    const { exchange, query, call } = request;
    refuseBadLogOptions(call.name, query);
    const pod = await podOf(request);
    const container = containerOf(pod, query.get("container") ?? "");
    if (!pod.spec?.nodeName) {
      // It has said nothing yet.
      exchange.respond(204, { "cache-control": "no-cache, private" });
      return;
    }
    const passed = new URLSearchParams();
    for (const name of logParameters) {
      const value = query.get(name);
      if (value !== null) passed.set(name, value);
    }
    const path = pathOf(["containerLogs", call.namespace, call.name, container], passed);
    const response = await kubelets
      .of(nodeOf(pod))
      .request({ method: "GET", path, signal: exchange.signal })
      .catch((error: unknown) => {
        throw internal(`Get "https://${nodeOf(pod)}:10250${path}": ${(error as Error).message}`, error);
      });
    if (response.status >= 400) {
      const text = Buffer.from(await response.readAll(errorBytesMax).catch(emptyWhenLong)).toString("utf8");
      throw kubeletError(response.status, text);
    }
    if (isWebSocketRequest(exchange)) return streamOverWebSocket(exchange, response.body);
    const headers = { "content-type": "text/plain", "cache-control": "no-cache, private" };
    await exchange.respondStream(200, headers, response.body);
  };
}

const logParameters = [
  "follow",
  "previous",
  "sinceSeconds",
  "sinceTime",
  "timestamps",
  "tailLines",
  "limitBytes",
  "stream",
];

/** Source: pkg/apis/core/validation ValidatePodLogOptions. */
function refuseBadLogOptions(name: string, query: URLSearchParams): void {
  const number = (field: string): number | undefined => {
    const text = query.get(field) ?? "";
    if (text === "") return undefined;
    if (!/^[-+]?\d+$/.test(text)) {
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    return Number(text);
  };
  const [tailLines, limitBytes, sinceSeconds] = [number("tailLines"), number("limitBytes"), number("sinceSeconds")];
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(invalid("tailLines", tailLines, "must be greater than or equal to 0"));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(invalid("limitBytes", limitBytes, "must be greater than 0"));
  }
  if (sinceSeconds !== undefined && query.get("sinceTime")) {
    errors.push(forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalid("sinceSeconds", sinceSeconds, "must be greater than 0"));
  }
  if (errors.length > 0) throw invalidStatus({ group: "", kind: "PodLogOptions" }, name, errors);
}

function emptyWhenLong(error: unknown): Uint8Array {
  if (error instanceof BodyTooLargeError) return new Uint8Array();
  throw error;
}

/** What a kubelet refuses becomes a Status with its text. Source: rest.GenericHttpResponseChecker. */
function kubeletError(status: number, text: string): Error {
  const message = text.trim();
  if (status === 400) return badRequest(message);
  if (status === 404) return failure("NotFound", { message: message || "not found", details: {} });
  return failure("InternalError", { message: `Internal error occurred: ${message}`, code: 500 });
}

/** exec and attach: the connection passes through to the container. */
export function podCommand(kubelets: KubeletClients, kind: "exec" | "attach"): ConnectHandler {
  return async (request) => {
    const { exchange, query, call } = request;
    const pod = await podOf(request);
    const container = containerOf(pod, query.get("container") ?? "");
    const passed = new URLSearchParams();
    // The kubelet's own names for the streams.
    for (const [ours, theirs] of [["stdin", "input"], ["stdout", "output"], ["stderr", "error"], ["tty", "tty"]] as const) {
      if (isTrue(query.get(ours))) passed.set(theirs, "1");
    }
    for (const argument of query.getAll("command")) passed.append("command", argument);
    const client = kubelets.of(nodeOf(pod));
    if (exchange.upgrade === undefined) throw badRequest("Upgrade request required");
    const path = pathOf([kind, call.namespace, call.name, container], passed);
    await proxyUpgrade(exchange, { client, path });
  };
}

function isTrue(value: string | null): boolean {
  return value !== null && value !== "" && value !== "false" && value !== "0";
}

/** portforward: the connection passes through to the pod's network. */
export function podPortForward(kubelets: KubeletClients): ConnectHandler {
  return async (request) => {
    const { exchange, query, call } = request;
    const pod = await podOf(request);
    if (exchange.upgrade === undefined) throw badRequest("Upgrade request required");
    const passed = new URLSearchParams();
    for (const port of query.getAll("ports")) passed.append("port", port);
    const path = pathOf(["portForward", call.namespace, call.name], passed);
    await proxyUpgrade(exchange, { client: kubelets.of(nodeOf(pod)), path });
  };
}

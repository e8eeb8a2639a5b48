import { BodyTooLargeError, type HttpExchange } from "#base/http.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import { Status as StatusSchema } from "#apimachinery/meta/status.ts";
import type { FeatureReader } from "#apimachinery/resource.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import {
  requestEntityTooLarge,
  type StatusError,
  statusErrorOf,
  unauthorized,
  unknownResource,
} from "#apimachinery/status.ts";
import type { PatchType, RequestVerb } from "#client/transport.ts";
import { isIoError } from "#base/files.ts";
import { webSocketBearerToken } from "#wire/websocket.ts";
import type { Answer } from "../answer.ts";
import type { ApiTable } from "../api-table.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import type { AuditRecord } from "../audit/audit-record.ts";
import { noteAnswer, noteFailure, trailOf } from "../audit/audited-call.ts";
import {
  authenticate,
  type Authenticator,
  type Credentials,
} from "../authentication/authenticator.ts";
import { type Attributes, type Authorizer, forbiddenBy } from "../authorization/authorizer.ts";
import type { Impersonator } from "../authentication/impersonation.ts";
import type { Call, CallOptions, Endpoint, User } from "../call.ts";
import {
  bodyMediaType,
  contentTypes,
  negotiate,
  type NegotiationRules,
  refuseUnframed,
  type Representation,
  wantsIndent,
} from "./negotiate.ts";
import {
  deleteOptions,
  getOptions,
  listOptions,
  refuseBadTimeout,
  writeOptions,
} from "./query-options.ts";
import type { WatchObserver } from "../metrics/watch-meters.ts";
import { encoded, render, type Rendered } from "./render.ts";
import { parseRequestInfo, type RequestInfo } from "./request-info.ts";
import { fitsScope, patchTypeOf, routeVerb } from "./routing.ts";
import { includeObjectOf } from "./table.ts";
import { serveWatch } from "./serve-watch.ts";
import { send, sendText } from "./send.ts";

/** Largest request body. Source: apiserver config.go MaxRequestBodyBytes. */
export const requestBodyBytesMax = 3 * 1024 * 1024;

/** Serves a path that is no resource. Undefined: not mine. */
export type PathHandler = (request: PathRequest) => Promise<boolean>;

export interface PathRequest {
  readonly exchange: HttpExchange;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: User;
}

/** Serves a subresource that streams or proxies (exec, log, proxy), with the raw exchange. */
export type ConnectHandler = (request: ConnectRequest) => Promise<void>;

export interface ConnectRequest {
  readonly exchange: HttpExchange;
  readonly endpoint: Endpoint;
  readonly call: Call;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
}

/** A filter around everything from authorization on: metrics, deadlines, priority and fairness. */
export type RequestFilter = (request: FilteredRequest, next: () => Promise<void>) => Promise<void>;

export interface FilteredRequest {
  readonly exchange: HttpExchange;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  /** Whom the request acts as. */
  readonly user: User;
  /** What the answer names the request by, in the header `Audit-Id`. */
  readonly auditId: string;
  /** Calls once the initial events of a watch are out. */
  whenInitialized(run: () => void): void;
}

export interface FrontendOptions {
  readonly table: ApiTable;
  readonly authenticators: readonly Authenticator[];
  readonly anonymousAllowed: boolean;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly features: FeatureReader;
  readonly allowPrivileged: boolean;
  readonly paths: readonly PathHandler[];
  readonly connects: ReadonlyMap<string, ConnectHandler>;
  /** Passes on what other servers serve; false when that is nothing of theirs. */
  readonly aggregate: PathHandler;
  readonly filters: readonly RequestFilter[];
  /** Absent when nothing is written down. */
  readonly audit?: AuditLog;
  /** Whom a request acts as. */
  readonly impersonate: Impersonator;
  readonly watches: WatchObserver;
  dispatch(endpoint: Endpoint, call: Call): Promise<Answer>;
}

/**
 * The handler chain of the HTTPS port: authenticate -> audit -> impersonate -> filters (fairness)
 * -> authorize -> route -> decode, admit, store -> encode. Each refusal is a Status.
 */
export function createFrontend(options: FrontendOptions): (exchange: HttpExchange) => Promise<void> {
  return async (exchange) => {
    const { path, query } = splitUrl(exchange.url);
    const info = parseRequestInfo(exchange.method, path, query);
    const auditId = exchange.headers["audit-id"] || options.random.uuid();
    exchange.setUniqueHeader("audit-id", auditId);
    const request = new Incoming(exchange, { info, query, auditId });
    const sender = await senderOf(options, exchange);
    const audited = options.audit?.open({ exchange, info, auditId, user: sender instanceof Error ? undefined : sender });
    request.record = audited?.record;
    try {
      if (sender instanceof Error) throw sender;
      if (audited?.received !== undefined && !(await audited.received)) {
        sendText(exchange, 500, `Internal Server Error: ${JSON.stringify(exchange.url)}: failed to store audit event\n`);
        return;
      }
      refuseBadTimeout(info, query);
      const impersonated = await options.impersonate({ exchange, attributes: attributesOf(info, sender) });
      if (impersonated !== undefined) request.record?.actsAs(impersonated);
      await runFilters(options, { request, user: impersonated?.user ?? sender });
    } catch (error) {
      answerError(options, request, error);
    } finally {
      audited?.close(request.crash);
    }
  };
}

/** Who asks, or why nobody knows. */
async function senderOf(options: FrontendOptions, exchange: HttpExchange): Promise<User | StatusError> {
  try {
    const { authenticators, anonymousAllowed } = options;
    return (await authenticate(authenticators, credentialsOf(exchange), anonymousAllowed)) ?? unauthorized();
  } catch (error) {
    return statusErrorOf(error);
  }
}

/** One HTTP request as it goes down the chain. */
export class Incoming {
  readonly exchange: HttpExchange;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly auditId: string;
  readonly warnings = new Set<string>();
  /** What waits for a watch to be open. */
  readonly initialized: (() => void)[] = [];
  /** What is written down of it. */
  record: AuditRecord | undefined;
  /** An error that no Status was made of. */
  crash: unknown;

  constructor(
    exchange: HttpExchange,
    spec: { readonly info: RequestInfo; readonly query: URLSearchParams; readonly auditId: string },
  ) {
    this.exchange = exchange;
    this.info = spec.info;
    this.query = spec.query;
    this.auditId = spec.auditId;
  }
}

/** The path is decoded before it is split, as Go's `URL.Path`. */
export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const question = url.indexOf("?");
  const path = question < 0 ? url : url.slice(0, question);
  const query = new URLSearchParams(question < 0 ? "" : url.slice(question + 1));
  return { path: path.includes("%") ? unescapePath(path) : path, query };
}

function unescapePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function credentialsOf(exchange: HttpExchange): Credentials {
  const { peerCertificate } = exchange;
  const webSocketToken = webSocketBearerToken(exchange.headers);
  return {
    authorization: exchange.headers["authorization"] ?? "",
    header: (name) => exchange.headers[name],
    values: (name) => exchange.headerValues(name),
    names: () => Object.keys(exchange.headers),
    ...(peerCertificate && { certificate: peerCertificate }),
    ...(webSocketToken !== undefined && { webSocketToken }),
  };
}

async function runFilters(
  options: FrontendOptions,
  { request, user }: { request: Incoming; user: User },
): Promise<void> {
  const { exchange, info, query, auditId } = request;
  const whenInitialized = (run: () => void): void => void request.initialized.push(run);
  const filtered: FilteredRequest = { exchange, info, query, user, auditId, whenInitialized };
  // Each filter sees an answered request behind it, whatever failed there.
  const run = async (at: number): Promise<void> => {
    const filter = options.filters[at];
    try {
      if (filter === undefined) await serve(options, request, user);
      else await filter(filtered, () => run(at + 1));
    } catch (error) {
      answerError(options, request, error);
    }
  };
  await run(0);
}

async function serve(options: FrontendOptions, request: Incoming, user: User): Promise<void> {
  const attributes = attributesOf(request.info, user);
  const decision = await options.authorizer.authorize(attributes);
  request.record?.decided(decision);
  if (decision.verdict !== "allow") throw forbiddenBy(attributes, decision.reason);
  const { exchange, info, query } = request;
  if (await options.aggregate({ exchange, path: info.path, query, user })) return;
  if (!info.isResource) {
    for (const handler of options.paths) {
      if (await handler({ exchange, path: info.path, query, user })) return;
    }
    answerUnknownPath(options, request);
    return;
  }
  const endpoint = options.table.find(info.group, info.version, info.resource);
  if (endpoint === undefined || !fitsScope(endpoint, info)) {
    answerUnknownPath(options, request);
    return;
  }
  await serveResource(options, request, { endpoint, user });
}

function attributesOf(info: RequestInfo, user: User): Attributes {
  return {
    user,
    verb: info.verb,
    isResource: info.isResource,
    namespace: info.namespace,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    path: info.path,
  };
}

/** Below `/api` and the groups of the server itself the router answers, else nobody. */
function answerUnknownPath({ table }: FrontendOptions, { exchange, info }: Incoming): void {
  const [root = "", group = ""] = info.path.split("/").filter((part) => part !== "");
  if (root === "api" || (root === "apis" && group !== "" && table.servesGroup(group))) {
    throw unknownResource();
  }
  sendText(exchange, 404, "404 page not found\n");
}

interface Routed {
  readonly endpoint: Endpoint;
  readonly user: User;
}

async function serveResource(
  options: FrontendOptions,
  request: Incoming,
  { endpoint, user }: Routed,
): Promise<void> {
  const { info, query, exchange } = request;
  const { deprecation } = endpoint.definition;
  if (deprecation !== undefined && info.verb === "watch") request.warnings.add(deprecation);
  const verb = routeVerb(endpoint, info, {
    method: exchange.method,
    accept: exchange.headers["accept"],
    contentType: exchange.headers["content-type"],
  });
  const connect = connectOf(options, endpoint, info);
  if (connect !== undefined) {
    const call = callOf(options, request, { endpoint, user, verb, options: {} });
    await connect({ exchange, endpoint, call, info, query });
    return;
  }
  const representation = negotiate(exchange.headers["accept"], rulesOf(endpoint, request));
  if (verb === "watch") {
    refuseUnframed(representation);
    if (representation.as === "PartialObjectMetadataList") {
      // A watch has no lists to show: the stream ends before it begins.
      exchange.respond(200, { "content-type": contentTypes[representation.mediaType] });
      return;
    }
    const call = callOf(options, request, { endpoint, user, verb, options: watchOptions(info, query) });
    const streamed = renderOptions(options, request, representation);
    const { clock, watches: observer } = options;
    const onOpen = (): void => request.initialized.forEach((run) => run());
    await serveWatch({ exchange, endpoint, call, clock, render: streamed, onOpen, observer });
    return;
  }
  const patchType = verb === "patch" ? patchTypeOf(exchange.headers["content-type"], endpoint) : undefined;
  const call = callOf(options, request, {
    endpoint,
    user,
    verb,
    ...(patchType && { patchType }),
    options: optionsFor(verb, query, patchType),
  });
  const withBody = await readBody(request, call, rulesOf(endpoint, request));
  const answer = await options.dispatch(endpoint, withBody);
  const rendered = render(answer, renderOptions(options, request, representation));
  if (request.record !== undefined) noteAnswer(request.record, answer, renderOptions(options, request, representation));
  await send(exchange, rendered, warningHeaders(request));
}

function connectOf(
  options: FrontendOptions,
  { definition }: Endpoint,
  info: RequestInfo,
): ConnectHandler | undefined {
  const handler = definition.subresources[info.subresource]?.handler;
  return handler === undefined ? undefined : options.connects.get(handler);
}

function rulesOf({ definition }: Endpoint, { query, exchange }: Incoming): NegotiationRules {
  return {
    protobuf: definition.custom === undefined,
    shapes: definition.handler === undefined || definition.columns.length > 0,
    pretty: wantsIndent(query, exchange.headers["user-agent"]),
  };
}

function renderOptions(
  options: FrontendOptions,
  request: Incoming,
  representation: Representation,
): Parameters<typeof render>[1] {
  return {
    representation,
    include: includeObjectOf(request.query.get("includeObject")),
    nowMs: options.clock.nowMs(),
  };
}

interface CallSpec extends Routed {
  readonly verb: RequestVerb;
  readonly options: CallOptions;
  readonly patchType?: PatchType;
}

function callOf(options: FrontendOptions, request: Incoming, spec: CallSpec): Call {
  const { info, exchange } = request;
  const { definition } = spec.endpoint;
  const ownNamespace = definition.group === "" && definition.plural === "namespaces";
  return {
    verb: spec.verb,
    definition,
    namespace: ownNamespace ? "" : info.namespace,
    name: spec.verb === "list" || spec.verb === "watch" ? "" : info.name,
    subresource: info.subresource,
    options: spec.options,
    user: spec.user,
    userAgent: exchange.headers["user-agent"] ?? "",
    ...(spec.patchType && { patchType: spec.patchType }),
    features: options.features,
    allowPrivileged: options.allowPrivileged,
    nowMs: options.clock.nowMs(),
    signal: exchange.signal,
    warn: (text) => void request.warnings.add(text),
    ...(request.record !== undefined && trailOf(request.record)),
  };
}

function optionsFor(verb: RequestVerb, query: URLSearchParams, patchType?: PatchType): CallOptions {
  switch (verb) {
    case "get":
      return getOptions(query);
    case "list":
      return listOptions(query);
    case "create":
      return writeOptions(query, "CreateOptions");
    case "update":
      return writeOptions(query, "UpdateOptions");
    case "patch":
      return writeOptions(query, "PatchOptions", patchType);
    case "delete":
      return deleteOptions(query);
    case "deletecollection":
      return { ...listOptions(query), ...deleteOptions(query) };
    case "watch":
      return listOptions(query);
  }
}

/** The old `/watch/...` form of one object is a watch with a selector. */
function watchOptions(info: RequestInfo, query: URLSearchParams): CallOptions {
  const options = listOptions(query);
  if (!info.watchByPath || info.name === "") return options;
  return { ...options, fieldSelector: `metadata.name=${info.name}` };
}

const bodyVerbs = new Set<RequestVerb>(["create", "update", "patch", "delete", "deletecollection"]);

async function readBody(request: Incoming, call: Call, rules: NegotiationRules): Promise<Call> {
  if (!bodyVerbs.has(call.verb)) return call;
  const { exchange } = request;
  const bytes = await exchange.readBody(requestBodyBytesMax);
  const optional = call.verb === "delete" || call.verb === "deletecollection";
  if (optional && bytes.length === 0) return call;
  const contentType = exchange.headers["content-type"];
  const mediaType = call.verb === "patch" ? patchMediaType(call) : bodyMediaType(contentType, rules);
  if (call.verb === "patch") call.trail?.requestPatch(bytes, mediaType);
  return { ...call, body: { form: "bytes", mediaType, bytes } };
}

function patchMediaType(call: Call): "json" | "yaml" {
  return call.patchType === "apply" ? "yaml" : "json";
}

function warningHeaders({ warnings }: Incoming): readonly string[] {
  return [...warnings].map((text) => `299 - ${warningText(text)}`);
}

/** RFC 7234 quoted text without control characters. */
function warningText(text: string): string {
  const printable = text.replace(/[\x00-\x1f\x7f]/g, " ");
  return `"${printable.replace(/[\\"]/g, "\\$&")}"`;
}

/** Writes the Status of a failure, in the client's media type. */
export function answerError(
  options: Pick<FrontendOptions, "log">,
  request: Incoming,
  error: unknown,
): void {
  const { exchange } = request;
  if (exchange.answered || exchange.signal.aborted) return;
  const failed = toStatus(error);
  if (failed.cause !== undefined && !isIoError(failed.cause)) request.crash = failed.cause;
  if (request.record !== undefined) noteFailure(request.record, failed);
  if ((failed.status.code ?? 500) >= 500 && failed.cause !== undefined) {
    options.log.error("request failed", failed.cause, { url: exchange.url, method: exchange.method });
  }
  const retry = failed.status.details?.retryAfterSeconds;
  const rendered = renderStatus(request, failed);
  void send(exchange, rendered, warningHeaders(request), retry ? { "retry-after": String(retry) } : {});
}

function toStatus(error: unknown): StatusError {
  if (error instanceof BodyTooLargeError) {
    return requestEntityTooLarge(`limit is ${error.limitBytes}`);
  }
  return statusErrorOf(error);
}

function renderStatus({ exchange, query }: Incoming, error: StatusError): Rendered {
  const code = error.status.code ?? 500;
  const rules = { protobuf: true, shapes: false, pretty: wantsIndent(query, exchange.headers["user-agent"]) };
  let representation: Representation;
  try {
    representation = negotiate(exchange.headers["accept"], rules);
  } catch {
    representation = negotiate(undefined, rules);
  }
  return encoded(representation, { object: error.status as KubeObject, schema: StatusSchema, code });
}

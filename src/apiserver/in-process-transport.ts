import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { StatusError, statusErrorOf, unknownResource } from "#apimachinery/status.ts";
import type { FeatureReader } from "#apimachinery/resource.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type {
  ApiRequest,
  Identity,
  ObjectList,
  RawRequest,
  Transport,
  WatchSink,
} from "#client/transport.ts";
import type { Answer } from "./answer.ts";
import type { ApiTable } from "./api-table.ts";
import type { AuditLog } from "./audit/audit-log.ts";
import type { AuditRecord } from "./audit/audit-record.ts";
import { AuditedCall, trailOf } from "./audit/audited-call.ts";
import { type Attributes, type Authorizer, forbiddenBy } from "./authorization/authorizer.ts";
import { authenticated } from "./authentication/authenticator.ts";
import type { Call, Endpoint, User } from "./call.ts";
import { watch } from "./rest/watch.ts";

export interface InProcessOptions {
  readonly table: ApiTable;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly features: FeatureReader;
  /** Absent when nothing is written down. */
  readonly audit?: AuditLog | undefined;
  readonly allowPrivileged: boolean;
  dispatch(endpoint: Endpoint, call: Call): Promise<Answer>;
  /** The way to another server that serves a group version. Errors: ServiceUnavailable. */
  remote(group: string, version: string, user: User): Transport | undefined;
  /** Serves what is no resource; the answer's JSON. */
  raw(request: RawRequest, user: User): Promise<unknown>;
}

/** The server itself: what its own components act as when they name nobody. */
const loopbackUser: User = {
  name: "system:apiserver",
  uid: "",
  groups: ["system:masters", "system:authenticated"],
  extra: {},
};

const neverAborted = new AbortController().signal;

/**
 * The API server as a transport for components of its own process: same checks, same pipeline,
 * nothing encoded; the objects that come out are those that every watcher and cache shares.
 */
export function createInProcessTransport(options: InProcessOptions): Transport {
  const { table, clock } = options;

  async function open(request: ApiRequest, record?: AuditRecord): Promise<{ endpoint: Endpoint; call: Call }> {
    request.signal?.throwIfAborted();
    const endpoint = table.find(request.group, request.version, request.resource);
    const user = userOf(request.user);
    await authorize(request, user, record);
    if (endpoint === undefined) throw unknownResource();
    return { endpoint, call: callOf(request, { endpoint, user, options, record }) };
  }

  function audit(request: ApiRequest): AuditedCall | undefined {
    if (options.audit === undefined) return undefined;
    return AuditedCall.open(options.audit, request, { user: userOf(request.user), auditId: options.random.uuid() });
  }

  async function authorize(request: ApiRequest, user: User, record?: AuditRecord): Promise<void> {
    const attributes = attributesOf(request, user);
    const decision = await options.authorizer.authorize(attributes);
    record?.decided(decision);
    if (decision.verdict !== "allow") throw forbiddenBy(attributes, decision.reason);
  }

  /** Undefined for what this server serves itself, or nobody. */
  async function remoteOf(request: ApiRequest): Promise<Transport | undefined> {
    const { group, version, resource } = request;
    if (table.find(group, version, resource) !== undefined) return undefined;
    const user = userOf(request.user);
    const remote = options.remote(group, version, user);
    if (remote !== undefined) await authorize(request, user);
    return remote;
  }

  async function answerOf(request: ApiRequest): Promise<Answer> {
    const audited = audit(request);
    try {
      const told = audited?.received();
      if (told !== undefined) await told;
      const { endpoint, call } = await open(request, audited?.record);
      const answer = await options.dispatch(endpoint, call);
      audited?.answered(answer, clock.nowMs());
      return answer;
    } catch (error) {
      audited?.failed(statusErrorOf(error));
      throw request.signal?.aborted ? request.signal.reason : statusErrorOf(error);
    }
  }

  return {
    call: async (request) =>
      (await remoteOf(request))?.call(anonymous(request)) ?? objectOf(await answerOf(request)),
    list: async (request) =>
      (await remoteOf(request))?.list(anonymous(request)) ?? listOf(await answerOf(request)),
    watch(request, sink) {
      const opened = new OpenWatch(sink);
      void opened.start(async () => {
        const remote = await remoteOf(request);
        if (remote !== undefined) return remote.watch(anonymous(request), sink);
        opened.audited = audit(request);
        const told = opened.audited?.received();
        if (told !== undefined) await told;
        const { endpoint, call } = await open(request, opened.audited?.record);
        const stream = await watch(endpoint, call, { clock, receiver: opened.receiver(endpoint) });
        opened.audited?.started();
        return stream;
      }, request.signal);
      return opened;
    },
    raw: (request) => options.raw(request, userOf(request.user)),
  };
}

/** The way to another server knows whom it is for. */
function anonymous({ user: _user, ...request }: ApiRequest): ApiRequest {
  return request;
}

function userOf(identity: Identity | undefined): User {
  if (identity === undefined) return loopbackUser;
  return authenticated({
    name: identity.name,
    uid: identity.uid ?? "",
    groups: identity.groups ?? [],
    extra: identity.extra ?? {},
  });
}

export function attributesOf(
  request: Pick<ApiRequest, "verb" | "group" | "version" | "resource" | "namespace" | "name" | "subresource">,
  user: User,
): Attributes {
  const { verb, group, version, resource, namespace, name, subresource } = request;
  return { user, verb, isResource: true, namespace, group, version, resource, subresource, name, path: "" };
}

function callOf(
  request: ApiRequest,
  spec: { endpoint: Endpoint; user: User; options: InProcessOptions; record: AuditRecord | undefined },
): Call {
  return {
    verb: request.verb,
    definition: spec.endpoint.definition,
    namespace: request.namespace,
    name: request.name,
    subresource: request.subresource,
    options: request.options,
    user: spec.user,
    userAgent: request.userAgent ?? "",
    ...(request.body !== undefined && { body: { form: "object" as const, value: request.body } }),
    ...(request.patchType && { patchType: request.patchType }),
    features: spec.options.features,
    allowPrivileged: spec.options.allowPrivileged,
    nowMs: spec.options.clock.nowMs(),
    signal: request.signal ?? neverAborted,
    warn() {},
    ...(spec.record !== undefined && trailOf(spec.record)),
  };
}

function objectOf(answer: Answer): KubeObject {
  switch (answer.kind) {
    case "entry":
      return answer.entry.as(answer.endpoint.definition);
    case "object":
      return answer.object;
    case "status":
      return answer.status as KubeObject;
    case "list":
      return { kind: "Status", apiVersion: "v1", status: "Success" } as KubeObject;
  }
}

function listOf(answer: Answer): ObjectList<KubeObject> {
  if (answer.kind !== "list") throw new StatusError({ message: "not a list", code: 500 });
  const { page, endpoint } = answer;
  return {
    items: page.entries.map((entry) => entry.as(endpoint.definition)),
    resourceVersion: String(page.revision),
    ...(page.continue !== "" && { continue: page.continue }),
    ...(page.remainingItemCount !== undefined && { remainingItemCount: page.remainingItemCount }),
  };
}

/** A watch that is being opened, is open, or is over. */
class OpenWatch implements Disposable {
  readonly #sink: WatchSink<KubeObject>;
  #stream: Disposable | undefined;
  #over = false;
  /** The event of the watch, while it is to be told of. */
  audited: AuditedCall | undefined;

  constructor(sink: WatchSink<KubeObject>) {
    this.#sink = sink;
  }

  async start(open: () => Promise<Disposable>, signal: AbortSignal | undefined): Promise<void> {
    try {
      const stream = await open();
      if (this.#over) stream[Symbol.dispose]();
      else {
        this.#stream = stream;
        signal?.addEventListener("abort", () => this.#close(signal.reason as Error), { once: true });
      }
    } catch (error) {
      this.audited?.failed(statusErrorOf(error));
      this.audited = undefined;
      this.#close(signal?.aborted ? (signal.reason as Error) : statusErrorOf(error));
    }
  }

  receiver(endpoint: Endpoint): Parameters<typeof watch>[2]["receiver"] {
    return {
      onMessage: (message) => {
        if (this.#over) return;
        if (message.type === "BOOKMARK") this.#sink.onEvent(message);
        else {
          const object = message.entry.as(endpoint.definition);
          this.#sink.onEvent({ type: message.type, object });
        }
      },
      onEnd: (error) => this.#close(error),
    };
  }

  #close(error?: Error): void {
    if (this.#over) return;
    this[Symbol.dispose]();
    this.#sink.onClosed(error);
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#stream?.[Symbol.dispose]();
    this.audited?.ended();
    this.audited = undefined;
  }
}

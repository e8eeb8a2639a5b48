import type { HttpExchange } from "#base/http.ts";
import { encodeJson } from "#apimachinery/json-codec.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { Status as StatusSchema } from "#apimachinery/meta/status.ts";
import { internal, type StatusError } from "#apimachinery/status.ts";
import { pathOf } from "#client/http-transport.ts";
import type { ApiRequest } from "#client/transport.ts";
import { writeJson } from "#wire/json.ts";
import type { Answer } from "../answer.ts";
import type { Call, User } from "../call.ts";
import { negotiate } from "../http/negotiate.ts";
import { render, type RenderOptions } from "../http/render.ts";
import { parseRequestInfo } from "../http/request-info.ts";
import type { AuditLog, OpenRecord } from "./audit-log.ts";
import type { AuditRecord } from "./audit-record.ts";

/** Tells the event of an answer, in JSON whatever the client gets. */
export function noteAnswer(record: AuditRecord, answer: Answer, options: RenderOptions): void {
  if (answer.kind === "status") record.responseStatus({ ...answer.status, code: answer.code });
  if (!record.wantsResponse) return;
  const representation = { ...options.representation, mediaType: "json" as const, pretty: false };
  record.response(Buffer.concat(render(answer, { ...options, representation }).chunks as Uint8Array[]));
}

/** What a call tells the event on its way. */
export function trailOf(record: AuditRecord): Pick<Call, "annotate" | "trail"> {
  return { trail: record, annotate: (key, value) => record.annotate(key, value) };
}

/** Tells the event of a failure. */
export function noteFailure(record: AuditRecord, { status }: StatusError): void {
  record.responseStatus(status);
  if (record.wantsResponse) record.response(encodeJson(StatusSchema, status as KubeObject));
}

/** As much of an exchange as the event of a call in this process shows. */
class CallExchange implements Pick<HttpExchange, "url" | "headers" | "remoteAddress" | "status" | "answered" | "onAnswer"> {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly remoteAddress = "";
  answered = false;
  status: number | undefined;
  #run: (() => void) | undefined;

  constructor(url: string, userAgent: string | undefined) {
    this.url = url;
    this.headers = { "user-agent": userAgent };
  }

  onAnswer(run: () => void): void {
    this.#run = run;
  }

  begin(code: number): void {
    if (this.answered) return;
    this.answered = true;
    this.status = code;
    this.#run?.();
  }
}

const jsonRules = { protobuf: false, shapes: false, pretty: false };

/** The event of a call by a component of this process, which has no HTTP around it. */
export class AuditedCall {
  readonly #exchange: CallExchange;
  readonly #open: OpenRecord;

  /** Undefined when the policy wants no event. */
  static open(log: AuditLog, request: ApiRequest, spec: { readonly user: User; readonly auditId: string }): AuditedCall | undefined {
    const asked = pathOf(request);
    const url = request.verb === "watch" ? `${asked}${asked.includes("?") ? "&" : "?"}watch=true` : asked;
    const exchange = new CallExchange(url, request.userAgent);
    const [path = "", query = ""] = url.split("?");
    const info = { ...parseRequestInfo("GET", path, new URLSearchParams(query)), verb: request.verb };
    const open = log.open({ ...spec, exchange, info });
    if (open === undefined) return undefined;
    if (request.patchType !== undefined && request.body !== undefined) open.record.requestPatch(writeJson(request.body), "json");
    return new AuditedCall(exchange, open);
  }

  private constructor(exchange: CallExchange, open: OpenRecord) {
    this.#exchange = exchange;
    this.#open = open;
  }

  /** What the call waits for, if anything. Errors: InternalError when it must not go on because its event is lost. */
  received(): Promise<void> | undefined {
    return this.#open.received?.then((isKept) => {
      if (!isKept) throw internal("failed to store audit event");
    });
  }

  get record(): AuditRecord {
    return this.#open.record;
  }

  answered(answer: Answer, nowMs: number): void {
    const include = "Metadata";
    noteAnswer(this.record, answer, { representation: negotiate(undefined, jsonRules), include, nowMs });
    this.#exchange.begin(answer.kind === "list" ? 200 : answer.code);
    this.#open.close();
  }

  failed(error: StatusError): void {
    noteFailure(this.record, error);
    this.#exchange.begin(error.status.code ?? 500);
    this.#open.close(error.cause);
  }

  /** A watch is open. */
  started(): void {
    this.#exchange.begin(200);
  }

  /** A watch is over, perhaps while it was still being opened. */
  ended(): void {
    this.started();
    this.#open.close();
  }
}

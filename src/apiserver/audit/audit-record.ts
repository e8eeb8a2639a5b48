import { rfc3339Micro } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Status } from "#apimachinery/status.ts";
import { parseJson, writeJsonText } from "#wire/json.ts";
import { parseYaml } from "#wire/yaml.ts";
import type { Impersonated } from "../authentication/impersonation.ts";
import type { Decision } from "../authorization/authorizer.ts";
import type { RequestTrail, User } from "../call.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { type AuditDecision, type AuditStage, reaches } from "./audit-policy.ts";

/** Longest user agent that is written down whole. Source: apiserver/pkg/audit/request.go. */
const userAgentMax = 1024;

/** What is known of a request when it arrives. */
export interface AuditedRequest {
  readonly exchange: Pick<HttpExchange, "url" | "headers" | "remoteAddress" | "status" | "answered" | "onAnswer">;
  readonly info: RequestInfo;
  readonly auditId: string;
  /** The sender; undefined when it could not show who it is. */
  readonly user: User | undefined;
  readonly receivedMs: number;
}

/** The `audit.k8s.io/v1` Event of one request, as it fills from stage to stage. */
export class AuditRecord implements RequestTrail {
  readonly #request: AuditedRequest;
  readonly #decision: AuditDecision;
  readonly #annotations = new Map<string, string>();
  readonly #reference: Record<string, string>;
  #impersonated: Impersonated | undefined;
  #status: object | undefined;
  #requestObject: unknown;
  #responseObject: unknown;

  constructor(request: AuditedRequest, decision: AuditDecision) {
    this.#request = request;
    this.#decision = decision;
    this.#reference = referenceOf(request.info);
  }

  get receivedMs(): number {
    return this.#request.receivedMs;
  }

  /** Whether the answer's object is of use. */
  get wantsResponse(): boolean {
    return reaches(this.#decision.level, "RequestResponse");
  }

  /** An annotation that is there already stays. */
  annotate(key: string, value: string): void {
    if (!this.#annotations.has(key)) this.#annotations.set(key, value);
  }

  decided({ verdict, reason }: Decision): void {
    this.annotate("authorization.k8s.io/decision", verdict === "allow" ? "allow" : "forbid");
    this.annotate("authorization.k8s.io/reason", reason);
  }

  actsAs(impersonated: Impersonated): void {
    this.#impersonated = impersonated;
  }

  request(object: KubeObject): void {
    const { namespace, name, uid, resourceVersion } = object.metadata ?? {};
    for (const [key, value] of Object.entries({ namespace, name, uid, resourceVersion })) {
      if (value && !this.#reference[key]) this.#reference[key] = value;
    }
    if (reaches(this.#decision.level, "Request")) this.#requestObject = this.#shown(parseJson(writeJsonText(object)));
  }

  requestPatch(bytes: Uint8Array, mediaType: "json" | "yaml" | "protobuf"): void {
    if (!reaches(this.#decision.level, "Request")) return;
    try {
      this.#requestObject = mediaType === "yaml" ? parseYaml(bytes).value : parseJson(bytes);
    } catch {
      // What cannot be read is refused further on.
    }
  }

  /** The answer as JSON; at the level RequestResponse only. */
  response(json: Uint8Array): void {
    this.#responseObject = this.#shown(parseJson(json));
  }

  responseStatus({ status, message, reason, details, code }: Status): void {
    this.#status = { metadata: {}, status, message, reason, details, code };
  }

  /** The event at a stage; undefined when the policy leaves that stage out. */
  eventAt(stage: AuditStage, nowMs: number): object | undefined {
    if (this.#decision.omitStages.has(stage)) return undefined;
    const { exchange, info, auditId, user, receivedMs } = this.#request;
    const isAnswered = stage !== "RequestReceived";
    return {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: this.#decision.level,
      auditID: auditId,
      stage,
      requestURI: exchange.url,
      verb: info.verb,
      user: user === undefined ? {} : userInfo(user),
      ...(this.#impersonated && { impersonatedUser: userInfo(this.#impersonated.user) }),
      ...(this.#impersonated?.constraint && { authenticationMetadata: { impersonationConstraint: this.#impersonated.constraint } }),
      sourceIPs: sourceIps(exchange),
      ...userAgentOf(exchange),
      ...(info.isResource && { objectRef: this.#reference }),
      ...(isAnswered && { responseStatus: this.#statusNow() }),
      ...(this.#requestObject !== undefined && { requestObject: this.#requestObject }),
      ...(this.#responseObject !== undefined && { responseObject: this.#responseObject }),
      requestReceivedTimestamp: rfc3339Micro(receivedMs),
      stageTimestamp: rfc3339Micro(nowMs),
      ...(this.#annotations.size > 0 && { annotations: this.#sortedAnnotations() }),
    };
  }

  #statusNow(): object {
    const { status, answered } = this.#request.exchange;
    if (this.#status !== undefined) return this.#status;
    if (status !== undefined) return { metadata: {}, code: status };
    // The connection was taken over, or nobody was there to answer.
    if (answered) return { metadata: {}, code: 101 };
    return { metadata: {}, status: "Success", message: "Connection closed early", code: 200 };
  }

  #sortedAnnotations(): object {
    return Object.fromEntries([...this.#annotations].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Without managed fields where the policy wants none: of objects, list items and table rows. */
  #shown(value: unknown): unknown {
    return this.#decision.omitManagedFields ? withoutManagedFields(value) : value;
  }
}

function withoutManagedFields(value: unknown): unknown {
  if (!isJsonMap(value)) return value;
  const { metadata, items, rows } = value;
  const meta = isJsonMap(metadata) ? { ...metadata } : undefined;
  if (meta !== undefined) delete meta["managedFields"];
  return {
    ...value,
    ...(meta !== undefined && { metadata: meta }),
    ...(Array.isArray(items) && { items: items.map(withoutManagedFields) }),
    ...(Array.isArray(rows) && {
      rows: rows.map((row) => (isJsonMap(row) ? { ...row, object: withoutManagedFields(row["object"]) } : row)),
    }),
  };
}

function userInfo({ name, uid, groups, extra }: User): object {
  return {
    username: name,
    ...(uid !== "" && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

/** In the order of upstream's fields. */
function referenceOf({ resource, namespace, name, group, version, subresource }: RequestInfo): Record<string, string> {
  const reference: Record<string, string> = { resource };
  const rest = { namespace, name, uid: "", apiGroup: group, apiVersion: version, resourceVersion: "", subresource };
  for (const [key, value] of Object.entries(rest)) if (value !== "") reference[key] = value;
  return reference;
}

/** Proxies on the way, as they say, then who is at the other end. Source: apimachinery util/net SourceIPs. */
function sourceIps({ headers, remoteAddress }: AuditedRequest["exchange"]): string[] {
  const isAddress = (text: string): boolean => /^[0-9a-f.:]+$/i.test(text);
  const forwarded = (headers["x-forwarded-for"] ?? "").split(",").map((part) => part.trim()).filter(isAddress);
  const real = (headers["x-real-ip"] ?? "").trim();
  const ips = forwarded.length > 0 || !isAddress(real) ? forwarded : [real];
  return remoteAddress === "" || ips.at(-1) === remoteAddress ? ips : [...ips, remoteAddress];
}

function userAgentOf({ headers }: AuditedRequest["exchange"]): object {
  const agent = headers["user-agent"] ?? "";
  if (agent === "") return {};
  return { userAgent: agent.length > userAgentMax ? `${agent.slice(0, userAgentMax)}...TRUNCATED` : agent };
}

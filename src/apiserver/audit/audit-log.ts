import type { Clock } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import type { User } from "../call.ts";
import type { RequestFilter } from "../http/frontend.ts";
import { isLongRunning } from "../http/query-options.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { type AuditPolicy, type AuditStage, decideAudit } from "./audit-policy.ts";

export interface AuditOptions {
  readonly policy: AuditPolicy;
  readonly clock: Clock;
  /** Takes one event, as a line. */
  write(line: string): void;
}

/**
 * Writes down who asked what and what was answered, as `audit.k8s.io/v1` events. Bodies are never
 * written: the levels Request and RequestResponse say what Metadata says.
 */
export function auditLog({ policy, clock, write }: AuditOptions): RequestFilter {
  return async ({ exchange, info, user, auditId: auditID }, next) => {
    const { level, omitStages } = decideAudit(policy, info, user);
    if (level === "None") return next();
    const received = microTime(clock.nowMs());
    const record = (stage: AuditStage): void => {
      if (omitStages.has(stage)) return;
      const answered = stage === "RequestReceived" ? {} : { responseStatus: { metadata: {}, code: exchange.status ?? 0 } };
      const event = {
        kind: "Event",
        apiVersion: "audit.k8s.io/v1",
        level: "Metadata",
        auditID,
        stage,
        ...requestOf(exchange, info, user),
        ...answered,
        requestReceivedTimestamp: received,
        stageTimestamp: microTime(clock.nowMs()),
      };
      write(`${JSON.stringify(event)}\n`);
    };
    record("RequestReceived");
    try {
      await next();
    } finally {
      if (isLongRunning(info)) record("ResponseStarted");
      record("ResponseComplete");
    }
  };
}

function requestOf(exchange: HttpExchange, info: RequestInfo, user: User): object {
  const agent = exchange.headers["user-agent"];
  return {
    requestURI: exchange.url,
    verb: info.verb,
    user: {
      username: user.name,
      ...(user.uid !== "" && { uid: user.uid }),
      ...(user.groups.length > 0 && { groups: user.groups }),
      ...(Object.keys(user.extra).length > 0 && { extra: user.extra }),
    },
    ...(exchange.remoteAddress !== "" && { sourceIPs: [exchange.remoteAddress] }),
    ...(agent !== undefined && { userAgent: agent }),
    ...(info.isResource && { objectRef: objectOf(info) }),
  };
}

function objectOf({ resource, namespace, name, group, version, subresource }: RequestInfo): object {
  return {
    resource,
    ...(namespace !== "" && { namespace }),
    ...(name !== "" && { name }),
    ...(group !== "" && { apiGroup: group }),
    apiVersion: version,
    ...(subresource !== "" && { subresource }),
  };
}

function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}

import type { Clock } from "#base/clock.ts";
import type { Counter, MetricFamily, MetricRegistry } from "#base/metrics.ts";
import type { User } from "../call.ts";
import { formatDuration } from "#apimachinery/go-duration.ts";
import { isLongRunning } from "../http/query-options.ts";
import { type AuditPolicy, type AuditStage, decideAudit } from "./audit-policy.ts";
import { type AuditedRequest, AuditRecord } from "./audit-record.ts";

/** Takes events away; must not throw. */
export interface AuditBackend extends AsyncDisposable {
  /**
   * Undefined when nobody is to wait for it; else resolves when the event is where it is to be, false when its
   * request must not go on. Never rejects.
   */
  write(event: object): Promise<boolean> | undefined;
}

export interface AuditOptions {
  readonly policy: AuditPolicy;
  readonly clock: Clock;
  readonly registry: MetricRegistry;
  readonly backends: readonly AuditBackend[];
}

/** Writes down who asked what and what was answered. Source: endpoints/filters/audit.go. */
export interface AuditLog extends AsyncDisposable {
  /** Begins the record of a request; undefined when the policy wants none. */
  open(request: Omit<AuditedRequest, "receivedMs">): OpenRecord | undefined;
}

export interface OpenRecord {
  readonly record: AuditRecord;
  /** What the request waits for before anything is done; false: it must not go on. */
  readonly received: Promise<boolean> | undefined;
  /** The request is answered, or what lasted is over. `crash`: what its handler stumbled over. */
  close(crash?: unknown): void;
}

const slowMs = 500;
const nobody: User = { name: "", uid: "", groups: [], extra: {} };

export function createAuditLog({ policy, clock, registry, backends }: AuditOptions): AuditLog {
  const meters = auditMeters(registry);
  const tell = (record: AuditRecord, stage: AuditStage): Promise<boolean> | undefined => {
    const event = record.eventAt(stage, clock.nowMs());
    if (event === undefined) return undefined;
    meters.events.inc();
    const waits = backends.flatMap((backend) => backend.write(event) ?? []);
    return waits.length === 0 ? undefined : Promise.all(waits).then((kept) => kept.every(Boolean));
  };
  const received = async (told: Promise<boolean>): Promise<boolean> => {
    const isKept = await told;
    if (!isKept) meters.rejected.inc();
    return isKept;
  };
  return {
    open(request) {
      const { exchange, info, user } = request;
      const decision = decideAudit(policy, info, user ?? nobody);
      meters.levels.with(decision.level).inc();
      if (decision.level === "None") return undefined;
      const record = new AuditRecord({ ...request, receivedMs: clock.nowMs() }, decision);
      const isRefused = user === undefined;
      const told = isRefused ? undefined : tell(record, "RequestReceived");
      // Of a request without a sender this is the only event.
      if (isRefused || isLongRunning(info)) exchange.onAnswer(() => void tell(record, "ResponseStarted"));
      return {
        record,
        received: told && received(told),
        close(crash) {
          if (isRefused) return;
          noteLatency(record, clock.nowMs());
          if (crash === undefined) {
            void tell(record, "ResponseComplete");
            return;
          }
          const message = `APIServer panic'd: ${String(crash)}`;
          record.responseStatus({ code: 500, status: "Failure", reason: "InternalError", message });
          void tell(record, "Panic");
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(backends.map((backend) => backend[Symbol.asyncDispose]()));
    },
  };
}

/** Tells of slow requests how slow they were. Source: endpoints/filters/audit.go writeLatencyToAnnotation. */
function noteLatency(record: AuditRecord, nowMs: number): void {
  const latencyMs = nowMs - record.receivedMs;
  if (latencyMs > slowMs) record.annotate("apiserver.latency.k8s.io/total", formatDuration(BigInt(Math.round(latencyMs * 1e6))));
}

/** Events that a backend lost. Source: apiserver/pkg/audit/metrics.go. */
export function auditErrors(registry: MetricRegistry): MetricFamily<Counter> {
  return registry.counter({
    name: "apiserver_audit_error_total",
    help: "Audit events that could not be written, by plugin.",
    labels: ["plugin"],
  });
}

function auditMeters(registry: MetricRegistry): { events: Counter; rejected: Counter; levels: MetricFamily<Counter> } {
  const levels = registry.counter({
    name: "apiserver_audit_level_total",
    help: "Requests by the level at which their audit policy has them written down.",
    labels: ["level"],
  });
  const events = registry.counter({ name: "apiserver_audit_event_total", help: "Audit events that were written." }).with();
  const rejected = registry
    .counter({ name: "apiserver_audit_requests_rejected_total", help: "Requests that were refused because their audit event was lost." })
    .with();
  return { events, rejected, levels };
}

import { createHttpClient } from "#base/os/http-client.ts";
import { writeStandardOutput } from "#base/os/standard-output.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import type { World } from "#base/world.ts";
import { auditFile } from "#apiserver/audit/audit-file.ts";
import { type AuditFormat, lineSink } from "#apiserver/audit/audit-lines.ts";
import { type AuditBackend, auditErrors, type AuditLog, createAuditLog } from "#apiserver/audit/audit-log.ts";
import { metadataPolicy, parseAuditPolicy } from "#apiserver/audit/audit-policy.ts";
import { type AuditBatching, type AuditSink, batched, blocking, truncated } from "#apiserver/audit/audit-sink.ts";
import { auditWebhook } from "#apiserver/audit/audit-webhook.ts";
import { readCredentials } from "./remote.ts";

export const auditModes = ["batch", "blocking", "blocking-strict"] as const;
export type AuditMode = (typeof auditModes)[number];

/** How events get to a backend. */
export interface AuditBackendFlags {
  readonly mode: AuditMode;
  readonly batching: Omit<AuditBatching, "sendingMax">;
  /** Events that are larger lose their bodies; absent where they may have any size. */
  readonly eventBytesMax?: number | undefined;
}

export interface AuditFlags {
  /** File that requests are written down in; `-` for standard output. */
  readonly logPath?: string;
  /** What of them; everything without bodies when absent. */
  readonly policyFile?: string;
  readonly logFormat?: AuditFormat;
  /** 0 for any age. */
  readonly logAgeDaysMax?: number;
  /** 0 for any number. */
  readonly logBackupsMax?: number;
  /** 0 for any size. */
  readonly logSizeMebibytesMax?: number;
  readonly log?: Partial<AuditBackendFlags>;
  /** A kubeconfig: whom events are posted to. */
  readonly webhookConfigFile?: string;
  readonly webhookInitialBackoffMs?: number;
  readonly webhook?: Partial<AuditBackendFlags>;
}

/** Source: server/options/audit.go NewAuditOptions. */
export const auditDefaults = {
  logFormat: "json",
  logAgeDaysMax: 366,
  logBackupsMax: 100,
  logSizeMebibytesMax: 100,
  webhookInitialBackoffMs: 10_000,
  log: { mode: "blocking", batching: { bufferMax: 10_000, batchMax: 1, waitMs: 0 } },
  webhook: {
    mode: "batch",
    batching: { bufferMax: 10_000, batchMax: 400, waitMs: 30_000, throttle: { qps: 10, burst: 15 } },
  },
} as const satisfies AuditFlags;

const dayMs = 24 * 3_600_000;

/** Batches that a webhook gets at a time. */
const postsMax = 15;

/** Undefined when nothing is to be written down. Errors: a policy or a kubeconfig that is none. */
export async function openAudit(world: World, flags: AuditFlags, registry: MetricRegistry): Promise<AuditLog | undefined> {
  const { logPath, policyFile, webhookConfigFile } = flags;
  if (logPath === undefined && webhookConfigFile === undefined) return undefined;
  const policy = policyFile === undefined ? metadataPolicy : parseAuditPolicy(await world.files.readText(policyFile));
  const backends: AuditBackend[] = [];
  if (logPath !== undefined) {
    const sink = logSink(world, { ...flags, logPath }, registry);
    backends.push(backendOf(world, sink, { flags: { ...auditDefaults.log, ...flags.log }, sendingMax: 1, registry }));
  }
  if (webhookConfigFile !== undefined) {
    const sink = await webhookSink(world, { ...flags, webhookConfigFile }, registry);
    backends.push(backendOf(world, sink, { flags: { ...auditDefaults.webhook, ...flags.webhook }, sendingMax: postsMax, registry }));
  }
  return createAuditLog({ policy, clock: world.clock, registry, backends });
}

interface BackendSpec {
  readonly flags: AuditBackendFlags;
  readonly sendingMax: number;
  readonly registry: MetricRegistry;
}

function backendOf(world: World, sink: AuditSink, { flags, sendingMax, registry }: BackendSpec): AuditBackend {
  const { mode, batching, eventBytesMax } = flags;
  const log = world.log.named("audit");
  const errors = auditErrors(registry);
  const backend =
    mode === "batch"
      ? batched(sink, { batching: { ...batching, sendingMax }, clock: world.clock, log, dropped: errors.with("buffered") })
      : blocking(sink, { strict: mode === "blocking-strict" });
  return eventBytesMax === undefined ? backend : truncated(backend, { eventBytesMax, log, lost: errors.with("truncate") });
}

function logSink(world: World, flags: AuditFlags & { readonly logPath: string }, registry: MetricRegistry): AuditSink {
  const settings = { ...auditDefaults, ...flags };
  const lines = { format: settings.logFormat, log: world.log.named("audit"), lost: auditErrors(registry).with("log") };
  if (flags.logPath === "-") return lineSink({ ...lines, write: (texts) => writeStandardOutput(texts.join("")) });
  return auditFile({
    ...lines,
    files: world.files,
    clock: world.clock,
    path: flags.logPath,
    sizeMaxBytes: settings.logSizeMebibytesMax * 1024 * 1024,
    backupsMax: settings.logBackupsMax,
    ageMaxMs: settings.logAgeDaysMax * dayMs,
  });
}

async function webhookSink(
  world: World,
  flags: AuditFlags & { readonly webhookConfigFile: string },
  registry: MetricRegistry,
): Promise<AuditSink> {
  const { baseUrl, trust, pair, token } = await readCredentials(world, flags.webhookConfigFile);
  const { origin, pathname, search } = new URL(baseUrl);
  return auditWebhook({
    http: createHttpClient({ baseUrl: origin, tls: { ...trust, ...pair }, ...(token !== undefined && { token }) }),
    path: `${pathname}${search}`,
    clock: world.clock,
    random: world.random,
    log: world.log.named("audit"),
    initialBackoffMs: flags.webhookInitialBackoffMs ?? auditDefaults.webhookInitialBackoffMs,
    lost: auditErrors(registry).with("webhook"),
  });
}

import { createHttpClient } from "#base/os/http-client.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import type { World } from "#base/world.ts";
import { auditFile } from "#apiserver/audit/audit-file.ts";
import { type AuditBackend, auditErrors, type AuditLog, createAuditLog } from "#apiserver/audit/audit-log.ts";
import { metadataPolicy, parseAuditPolicy } from "#apiserver/audit/audit-policy.ts";
import { type AuditBatching, auditWebhook, webhookBatching } from "#apiserver/audit/audit-webhook.ts";
import { readCredentials } from "./remote.ts";

export interface AuditFlags {
  /** File that requests are written down in. */
  readonly logPath?: string;
  /** What of them; everything without bodies when absent. */
  readonly policyFile?: string;
  /** @default 366; 0 for any age */
  readonly logAgeDaysMax?: number;
  /** @default 100; 0 for any number */
  readonly logBackupsMax?: number;
  /** @default 100; 0 for any size */
  readonly logSizeMebibytesMax?: number;
  /** A kubeconfig: whom events are posted to. */
  readonly webhookConfigFile?: string;
  readonly webhookBatching?: Partial<AuditBatching>;
}

/** Source: server/options/audit.go NewAuditOptions. */
const ageDaysDefault = 366;
const backupsDefault = 100;
const sizeMebibytesDefault = 100;
const dayMs = 24 * 3_600_000;

/** Undefined when nothing is to be written down. Errors: a policy or a kubeconfig that is none. */
export async function openAudit(world: World, flags: AuditFlags, registry: MetricRegistry): Promise<AuditLog | undefined> {
  const { logPath, policyFile, webhookConfigFile } = flags;
  if (logPath === undefined && webhookConfigFile === undefined) return undefined;
  const policy = policyFile === undefined ? metadataPolicy : parseAuditPolicy(await world.files.readText(policyFile));
  const backends = [
    ...(logPath === undefined ? [] : [fileBackend(world, { ...flags, logPath }, registry)]),
    ...(webhookConfigFile === undefined ? [] : [await webhookBackend(world, { ...flags, webhookConfigFile }, registry)]),
  ];
  return createAuditLog({ policy, clock: world.clock, registry, backends });
}

function fileBackend(world: World, flags: AuditFlags & { readonly logPath: string }, registry: MetricRegistry): AuditBackend {
  return auditFile({
    files: world.files,
    clock: world.clock,
    log: world.log.named("audit"),
    path: flags.logPath,
    sizeMaxBytes: (flags.logSizeMebibytesMax ?? sizeMebibytesDefault) * 1024 * 1024,
    backupsMax: flags.logBackupsMax ?? backupsDefault,
    ageMaxMs: (flags.logAgeDaysMax ?? ageDaysDefault) * dayMs,
    lost: auditErrors(registry).with("log"),
  });
}

async function webhookBackend(
  world: World,
  flags: AuditFlags & { readonly webhookConfigFile: string },
  registry: MetricRegistry,
): Promise<AuditBackend> {
  const { baseUrl, trust, pair, token } = await readCredentials(world, flags.webhookConfigFile);
  const { origin, pathname, search } = new URL(baseUrl);
  return auditWebhook({
    http: createHttpClient({ baseUrl: origin, tls: { ...trust, ...pair }, ...(token !== undefined && { token }) }),
    path: `${pathname}${search}`,
    clock: world.clock,
    random: world.random,
    log: world.log.named("audit"),
    batching: { ...webhookBatching, ...flags.webhookBatching },
    lost: auditErrors(registry).with("webhook"),
  });
}

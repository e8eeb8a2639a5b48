import type { Command } from "commander";
import { durationMs } from "#apimachinery/go-duration.ts";
import type { InFlightLimits } from "#apiserver/flow-control/max-in-flight.ts";
import type { AuditFlags } from "./audit.ts";
import { integerOption, pathOption } from "./command.ts";

/** What is let in and what is written down of it, as options of a command. */
export interface RequestCliOptions {
  readonly enablePriorityAndFairness: string;
  readonly maxRequestsInflight: number;
  readonly maxMutatingRequestsInflight: number;
  readonly requestTimeout: string;
  readonly auditLogPath?: string;
  readonly auditPolicyFile?: string;
  readonly auditLogMaxage: number;
  readonly auditLogMaxbackup: number;
  readonly auditLogMaxsize: number;
  readonly auditWebhookConfigFile?: string;
  readonly auditWebhookBatchBufferSize: number;
  readonly auditWebhookBatchMaxSize: number;
  readonly auditWebhookBatchMaxWait: string;
  readonly auditWebhookInitialBackoff: string;
}

export interface RequestFlags {
  readonly priorityAndFairness: boolean;
  readonly inFlight: InFlightLimits;
  readonly requestTimeoutMs: number;
  readonly audit: AuditFlags;
}

/** Options with upstream's names and defaults. */
export function addRequestOptions(command: Command): Command {
  return command
    .option("--enable-priority-and-fairness <bool>", "whether requests queue by priority and in fair turns", "true")
    .option("--max-requests-inflight <count>", "seats for requests; of reads alone when there is no fairness", integerOption, 400)
    .option("--max-mutating-requests-inflight <count>", "further seats; of writes alone when there is no fairness", integerOption, 200)
    .option("--request-timeout <duration>", "longest time for an answer", "1m")
    .option("--audit-log-path <file>", "file that requests are written down in", pathOption)
    .option("--audit-policy-file <file>", "what of them: an audit.k8s.io/v1 Policy", pathOption)
    .option("--audit-log-maxage <days>", "how old files put aside may get; 0 for any age", integerOption, 366)
    .option("--audit-log-maxbackup <count>", "how many of them are kept; 0 for all", integerOption, 100)
    .option("--audit-log-maxsize <megabytes>", "size at which a file is put aside", integerOption, 100)
    .option("--audit-webhook-config-file <file>", "kubeconfig of a server that events are posted to", pathOption)
    .option("--audit-webhook-batch-buffer-size <count>", "events that wait for it; more are dropped", integerOption, 10000)
    .option("--audit-webhook-batch-max-size <count>", "events in one post", integerOption, 400)
    .option("--audit-webhook-batch-max-wait <duration>", "how long a post waits to fill", "30s")
    .option("--audit-webhook-initial-backoff <duration>", "wait before a failed post is tried again", "10s");
}

/** Errors: upstream's text when nothing could ever be let in. */
export function requestFlags(options: RequestCliOptions): RequestFlags {
  const priorityAndFairness = options.enablePriorityAndFairness !== "false";
  const inFlight = {
    readOnlyMax: options.maxRequestsInflight,
    mutatingMax: options.maxMutatingRequestsInflight,
  };
  if (inFlight.readOnlyMax < 0) throw new Error("--max-requests-inflight can not be negative value");
  if (inFlight.mutatingMax < 0) throw new Error("--max-mutating-requests-inflight can not be negative value");
  if (priorityAndFairness && inFlight.readOnlyMax + inFlight.mutatingMax === 0) {
    const sum = "--max-requests-inflight + --max-mutating-requests-inflight";
    throw new Error(`${sum} must be greater than 0 when --enable-priority-and-fairness is true`);
  }
  return { priorityAndFairness, inFlight, requestTimeoutMs: durationMs(options.requestTimeout), audit: auditFlags(options) };
}

function auditFlags(options: RequestCliOptions): AuditFlags {
  const { auditLogPath, auditPolicyFile, auditWebhookConfigFile } = options;
  return {
    ...(auditLogPath !== undefined && { logPath: auditLogPath }),
    ...(auditPolicyFile !== undefined && { policyFile: auditPolicyFile }),
    ...(auditWebhookConfigFile !== undefined && { webhookConfigFile: auditWebhookConfigFile }),
    logAgeDaysMax: options.auditLogMaxage,
    logBackupsMax: options.auditLogMaxbackup,
    logSizeMebibytesMax: options.auditLogMaxsize,
    webhookBatching: {
      bufferMax: options.auditWebhookBatchBufferSize,
      batchMax: options.auditWebhookBatchMaxSize,
      waitMs: durationMs(options.auditWebhookBatchMaxWait),
      initialBackoffMs: durationMs(options.auditWebhookInitialBackoff),
    },
  };
}

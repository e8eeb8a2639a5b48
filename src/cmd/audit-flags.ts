import type { Command } from "commander";
import { durationMs } from "#apimachinery/go-duration.ts";
import { type AuditBackendFlags, auditDefaults, type AuditFlags, type AuditMode, auditModes } from "./audit.ts";
import { integerOption, pathOption } from "./command.ts";

const plugins = ["log", "webhook"] as const;
type Plugin = (typeof plugins)[number];
type Prefix = `audit${Capitalize<Plugin>}`;

type BackendCliOptions = Readonly<
  Record<`${Prefix}Mode` | `${Prefix}BatchMaxWait` | `${Prefix}BatchThrottleQps` | `${Prefix}Version`, string> &
    Record<`${Prefix}BatchBufferSize` | `${Prefix}BatchMaxSize` | `${Prefix}BatchThrottleBurst`, number> &
    Record<`${Prefix}TruncateMaxBatchSize` | `${Prefix}TruncateMaxEventSize`, number> &
    Record<`${Prefix}BatchThrottleEnable` | `${Prefix}TruncateEnabled`, boolean | string>
>;

/** What is written down of requests, as options of a command. */
export interface AuditCliOptions extends BackendCliOptions {
  readonly auditPolicyFile?: string;
  readonly auditLogPath?: string;
  readonly auditLogFormat: string;
  readonly auditLogMaxage: number;
  readonly auditLogMaxbackup: number;
  readonly auditLogMaxsize: number;
  readonly auditWebhookConfigFile?: string;
  readonly auditWebhookInitialBackoff: string;
}

/** Where events may be cut. Source: server/options/audit.go NewAuditTruncateOptions. */
const eventBytesDefault = 100 * 1024;
const batchBytesDefault = 10 * 1024 * 1024;
const version = "audit.k8s.io/v1";

/** Options with upstream's names and defaults. */
export function addAuditOptions(command: Command): Command {
  const { logFormat, logAgeDaysMax, logBackupsMax, logSizeMebibytesMax, webhookInitialBackoffMs } = auditDefaults;
  command
    .option("--audit-policy-file <file>", "what of requests is written down: an audit.k8s.io/v1 Policy", pathOption)
    .option("--audit-log-path <file>", "file that requests are written down in; - for standard output", logPathOption)
    .option("--audit-log-format <format>", "json, or legacy for a line of text", logFormat)
    .option("--audit-log-maxage <days>", "how old files put aside may get; 0 for any age", integerOption, logAgeDaysMax)
    .option("--audit-log-maxbackup <count>", "how many of them are kept; 0 for all", integerOption, logBackupsMax)
    .option("--audit-log-maxsize <megabytes>", "size at which a file is put aside; 0 for never", integerOption, logSizeMebibytesMax)
    .option("--audit-webhook-config-file <file>", "kubeconfig of a server that events are posted to", pathOption)
    .option("--audit-webhook-initial-backoff <duration>", "wait before a failed post is tried again", `${webhookInitialBackoffMs}ms`);
  for (const plugin of plugins) addBackendOptions(command, plugin);
  return command;
}

function addBackendOptions(command: Command, plugin: Plugin): void {
  const { mode, batching }: AuditBackendFlags = auditDefaults[plugin];
  const { qps, burst } = batching.throttle ?? { qps: 0, burst: 0 };
  const flag = `--audit-${plugin}`;
  command
    .option(`${flag}-mode <mode>`, `batch, or requests wait: blocking, blocking-strict where they fail with their event`, mode)
    .option(`${flag}-batch-buffer-size <count>`, "events that wait; more are dropped", integerOption, batching.bufferMax)
    .option(`${flag}-batch-max-size <count>`, "events in one batch", integerOption, batching.batchMax)
    .option(`${flag}-batch-max-wait <duration>`, "how long a batch waits to fill", `${batching.waitMs}ms`)
    .option(`${flag}-batch-throttle-enable [bool]`, "whether batches are held back", String(batching.throttle !== undefined))
    .option(`${flag}-batch-throttle-qps <rate>`, "batches a second then", String(qps))
    .option(`${flag}-batch-throttle-burst <count>`, "batches at once when there were none before", integerOption, burst)
    .option(`${flag}-truncate-enabled [bool]`, "whether events that are too large lose their bodies", "false")
    .option(`${flag}-truncate-max-batch-size <bytes>`, "largest batch then", integerOption, batchBytesDefault)
    .option(`${flag}-truncate-max-event-size <bytes>`, "largest event then", integerOption, eventBytesDefault)
    .option(`${flag}-version <version>`, "version of events", version);
}

function logPathOption(value: string): string {
  return value === "-" ? value : pathOption(value);
}

/** Errors: upstream's texts. Source: server/options/audit.go. */
export function auditFlags(options: AuditCliOptions): AuditFlags {
  const { auditLogPath, auditPolicyFile, auditWebhookConfigFile } = options;
  const problems = [
    ...(auditLogPath === undefined ? [] : [...backendProblems(options, "log"), ...logProblems(options)]),
    ...(auditWebhookConfigFile === undefined ? [] : backendProblems(options, "webhook")),
  ];
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`);
  return {
    ...(auditLogPath !== undefined && { logPath: auditLogPath }),
    ...(auditPolicyFile !== undefined && { policyFile: auditPolicyFile }),
    ...(auditWebhookConfigFile !== undefined && { webhookConfigFile: auditWebhookConfigFile }),
    logFormat: options.auditLogFormat === "legacy" ? "legacy" : "json",
    logAgeDaysMax: options.auditLogMaxage,
    logBackupsMax: options.auditLogMaxbackup,
    logSizeMebibytesMax: options.auditLogMaxsize,
    log: backendFlags(options, "log"),
    webhookInitialBackoffMs: durationMs(options.auditWebhookInitialBackoff),
    webhook: backendFlags(options, "webhook"),
  };
}

function prefixOf(plugin: Plugin): Prefix {
  return plugin === "log" ? "auditLog" : "auditWebhook";
}

function isOn(value: boolean | string): boolean {
  return value === true || value === "true";
}

function backendFlags(options: AuditCliOptions, plugin: Plugin): AuditBackendFlags {
  const prefix = prefixOf(plugin);
  const throttle = { qps: Number(options[`${prefix}BatchThrottleQps`]), burst: options[`${prefix}BatchThrottleBurst`] };
  return {
    mode: options[`${prefix}Mode`] as AuditMode,
    batching: {
      bufferMax: options[`${prefix}BatchBufferSize`],
      batchMax: options[`${prefix}BatchMaxSize`],
      waitMs: durationMs(options[`${prefix}BatchMaxWait`]),
      ...(isOn(options[`${prefix}BatchThrottleEnable`]) && { throttle }),
    },
    ...(isOn(options[`${prefix}TruncateEnabled`]) && { eventBytesMax: options[`${prefix}TruncateMaxEventSize`] }),
  };
}

function backendProblems(options: AuditCliOptions, plugin: Plugin): string[] {
  const prefix = prefixOf(plugin);
  const batchBytesMax = options[`${prefix}TruncateMaxBatchSize`];
  const eventBytesMax = options[`${prefix}TruncateMaxEventSize`];
  const batch = batchProblem(options, plugin);
  const positive = "must be a positive number";
  const truncate =
    eventBytesMax <= 0
      ? `invalid audit truncate ${plugin} max event size ${eventBytesMax}, ${positive}`
      : `invalid audit truncate ${plugin} max batch size ${batchBytesMax}, must be greater than max event size (${eventBytesMax})`;
  return [
    ...(batch === undefined ? [] : [batch]),
    ...(eventBytesMax <= 0 || batchBytesMax < eventBytesMax ? [truncate] : []),
    ...(options[`${prefix}Version`] === version ? [] : [`invalid group version, allowed versions are [${JSON.stringify(version)}]`]),
  ];
}

/** The first thing that is wrong; of options of batches only where there are batches. */
function batchProblem(options: AuditCliOptions, plugin: Plugin): string | undefined {
  const prefix = prefixOf(plugin);
  const mode = options[`${prefix}Mode`];
  if (!auditModes.some((known) => known === mode)) {
    return `invalid audit ${plugin} mode ${mode}, allowed modes are ${JSON.stringify(auditModes.join(","))}`;
  }
  if (mode !== "batch") return undefined;
  const isThrottled = isOn(options[`${prefix}BatchThrottleEnable`]);
  const sizes: readonly (readonly [what: string, value: number])[] = [
    ["buffer size", options[`${prefix}BatchBufferSize`]],
    ["max batch size", options[`${prefix}BatchMaxSize`]],
    ...(isThrottled
      ? ([
          ["throttle QPS", Number(options[`${prefix}BatchThrottleQps`])],
          ["throttle burst", options[`${prefix}BatchThrottleBurst`]],
        ] as const)
      : []),
  ];
  const wrong = sizes.find(([, value]) => !(value > 0));
  return wrong && `invalid audit batch ${plugin} ${wrong[0]} ${wrong[1]}, must be a positive number`;
}

function logProblems(options: AuditCliOptions): string[] {
  const { auditLogFormat: format, auditLogMaxage: age, auditLogMaxbackup: backups, auditLogMaxsize: size } = options;
  const isKnown = format === "json" || format === "legacy";
  const counts = { maxage: age, maxbackup: backups, maxsize: size };
  const negative = Object.entries(counts).filter(([, value]) => value < 0);
  return [
    ...(isKnown ? [] : [`invalid audit log format ${format}, allowed formats are "legacy,json"`]),
    ...negative.map(([name, value]) => `--audit-log-${name} ${value} can't be a negative number`),
  ];
}

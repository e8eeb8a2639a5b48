import type { Command } from "commander";
import { durationMs } from "#apimachinery/go-duration.ts";
import type { InFlightLimits } from "#apiserver/flow-control/max-in-flight.ts";
import type { AuditFlags } from "./audit.ts";
import { addAuditOptions, type AuditCliOptions, auditFlags } from "./audit-flags.ts";
import { integerOption } from "./command.ts";

/** What is let in and what is written down of it, as options of a command. */
export interface RequestCliOptions extends AuditCliOptions {
  readonly enablePriorityAndFairness: string;
  readonly maxRequestsInflight: number;
  readonly maxMutatingRequestsInflight: number;
  readonly requestTimeout: string;
}

export interface RequestFlags {
  readonly priorityAndFairness: boolean;
  readonly inFlight: InFlightLimits;
  readonly requestTimeoutMs: number;
  readonly audit: AuditFlags;
}

/** Options with upstream's names and defaults. */
export function addRequestOptions(command: Command): Command {
  command
    .option("--enable-priority-and-fairness <bool>", "whether requests queue by priority and in fair turns", "true")
    .option("--max-requests-inflight <count>", "seats for requests; of reads alone when there is no fairness", integerOption, 400)
    .option("--max-mutating-requests-inflight <count>", "further seats; of writes alone when there is no fairness", integerOption, 200)
    .option("--request-timeout <duration>", "longest time for an answer", "1m");
  return addAuditOptions(command);
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

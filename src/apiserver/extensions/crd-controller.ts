import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from "#api/apiextensions/v1/custom-resource-definition.ts";
import { cleanupFinalizer } from "#api/apiextensions/v1/crd-deletion.ts";
import { type Clock, rfc3339 } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { isConflict, isNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { approvalFinding, withCondition, withoutCondition, withStatus } from "./conditions.ts";
import { deleteInstances } from "./crd-finalizer.ts";
import { decideNames, type Finding, usedNamesOf } from "./naming.ts";

/** After a failure a definition is looked at again; the span doubles up to the longest. */
const retryMsMin = 100;
const retryMsMax = 30_000;

export interface CrdControllerOptions {
  readonly crds: LiveSet<CustomResourceDefinition>;
  readonly client: () => Client;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface CrdController extends Disposable {
  /** Resolves when every change seen so far has its conditions. */
  settled(name: string): Promise<void>;
}

/**
 * Writes the status of CustomResourceDefinitions: accepted names, conditions, and the end of those
 * that are being deleted. One at a time, since names are first come, first served.
 * Source: apiextensions-apiserver pkg/controller.
 */
export function startCrdController(options: CrdControllerOptions): CrdController {
  const controller = new StatusController(options);
  controller.start();
  return controller;
}

class StatusController implements CrdController {
  readonly #options: CrdControllerOptions;
  readonly #resources = new DisposableStack();
  readonly #pending = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #retries = new Map<string, Disposable>();
  readonly #ending = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #working: Promise<void> | undefined;

  constructor(options: CrdControllerOptions) {
    this.#options = options;
    this.#resources.defer(() => this.#stop.abort());
    this.#resources.defer(() => {
      for (const retry of this.#retries.values()) retry[Symbol.dispose]();
    });
  }

  start(): void {
    const { crds } = this.#options;
    this.#resources.use(
      crds.onChange((name, crd) => {
        if (crd === undefined) this.#enqueueGroup(name);
        else this.#enqueue(name);
      }),
    );
    for (const { metadata } of crds.values()) this.#enqueue(metadata.name ?? "");
  }

  async settled(name: string): Promise<void> {
    while (this.#working !== undefined && (this.#pending.has(name) || needsWork(this.#options.crds, name))) {
      await this.#working;
    }
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #enqueue(name: string): void {
    if (this.#stop.signal.aborted) return;
    this.#pending.add(name);
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /** A name that was given back may be what another definition waits for. */
  #enqueueGroup(name: string): void {
    const group = name.slice(name.indexOf(".") + 1);
    for (const { metadata, spec } of this.#options.crds.values()) {
      if (spec.group === group) this.#enqueue(metadata.name ?? "");
    }
  }

  async #work(): Promise<void> {
    // The commit that woke us must be through before the next one begins.
    await Promise.resolve();
    for (const name of this.#pending) {
      this.#pending.delete(name);
      await this.#attempt(name);
    }
  }

  async #attempt(name: string): Promise<void> {
    try {
      await reconcile(this.#options, name);
      this.#failures.delete(name);
      this.#end(name);
    } catch (error) {
      this.#retry(name, error);
    }
  }

  /** Waiting for instances to go must not hold up other definitions. */
  #end(name: string): void {
    const crd = this.#options.crds.get("", name);
    if (crd === undefined || this.#ending.has(name) || !isEnding(crd)) return;
    const ended = finish(this.#options, crd, this.#stop.signal).catch((error: unknown) => this.#retry(name, error));
    this.#ending.set(
      name,
      ended.finally(() => this.#ending.delete(name)),
    );
  }

  #retry(name: string, error: unknown): void {
    if (isNotFound(error) || this.#stop.signal.aborted) return;
    const { clock, log } = this.#options;
    const count = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, count);
    if (!isConflict(error)) {
      log.warn("could not update a custom resource definition", { name, error: String(error) });
    }
    const delayMs = Math.min(retryMsMin * 2 ** (count - 1), retryMsMax);
    this.#retries.get(name)?.[Symbol.dispose]();
    this.#retries.set(
      name,
      clock.after(delayMs, () => this.#enqueue(name)),
    );
  }
}

function needsWork(crds: LiveSet<CustomResourceDefinition>, name: string): boolean {
  const crd = crds.get("", name);
  return crd !== undefined && nextStatus(crds, crd, "") !== crd;
}

async function reconcile({ crds, client, clock }: CrdControllerOptions, name: string): Promise<void> {
  const crd = crds.get("", name);
  if (crd === undefined) return;
  const next = nextStatus(crds, crd, rfc3339(clock.nowMs()));
  if (next !== crd) await client().resource(customResourceDefinitions).updateStatus(next);
}

function isEnding({ metadata }: CustomResourceDefinition): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(cleanupFinalizer) === true;
}

/** Deletes the instances, then gives up the finalizer. */
async function finish(
  { client, clock, crds }: CrdControllerOptions,
  crd: CustomResourceDefinition,
  signal: AbortSignal,
): Promise<void> {
  const api = client().resource(customResourceDefinitions);
  const begun = withCondition(crd, inProgress, rfc3339(clock.nowMs()));
  if (begun !== crd) await api.updateStatus(begun);
  const finding = await deleteInstances(client(), crd, signal);
  const current = crds.get("", crd.metadata.name ?? "");
  if (current === undefined || !isEnding(current)) return;
  const ended = withCondition(current, finding, rfc3339(clock.nowMs()));
  if (finding.status === "True") {
    if (ended !== current) await api.updateStatus(ended);
    throw new Error(finding.message);
  }
  const finalizers = ended.metadata.finalizers?.filter((finalizer) => finalizer !== cleanupFinalizer);
  await api.updateStatus({ ...ended, metadata: { ...ended.metadata, finalizers } });
}

const inProgress: Finding = {
  type: "Terminating",
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};

/** The definition with the status it should have; itself when that is what it has. */
function nextStatus(
  crds: LiveSet<CustomResourceDefinition>,
  crd: CustomResourceDefinition,
  time: string,
): CustomResourceDefinition {
  let next = crd;
  const naming = decideNames(crd, usedNamesOf(crds.values(), crd.spec.group));
  if (naming !== undefined) {
    if (!deepEqual(naming.accepted, crd.status?.acceptedNames)) {
      next = withStatus(next, { acceptedNames: naming.accepted });
    }
    for (const finding of naming.conditions) next = withCondition(next, finding, time);
  }
  next = withOptional(next, { type: "NonStructuralSchema", finding: nonStructural(crd), time });
  const approval = approvalFinding(crd);
  return approval === undefined ? next : withCondition(next, approval, time);
}

function withOptional(
  crd: CustomResourceDefinition,
  spec: { readonly type: string; readonly finding: Finding | undefined; readonly time: string },
): CustomResourceDefinition {
  if (spec.finding === undefined) return withoutCondition(crd, spec.type);
  return withCondition(crd, spec.finding, spec.time);
}

/** Definitions of this version are structural unless they keep unknown fields. */
function nonStructural({ spec }: CustomResourceDefinition): Finding | undefined {
  if (spec.preserveUnknownFields !== true) return undefined;
  return {
    type: "NonStructuralSchema",
    status: "True",
    reason: "Violations",
    message: "spec.preserveUnknownFields: Invalid value: true: must be false",
  };
}

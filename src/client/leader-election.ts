/**
 * One of several processes at work at a time, by a Lease.
 *
 * Invariants: 1. `lead` runs only after the Lease named us holder. 2. Its lifetime ends at the
 * latest `renewDeadlineMs` after the last renewal that succeeded, which is before anybody else may
 * take over (`leaseDurationMs` after they saw it). 3. Only durations of the own clock count, never
 * the times in the Lease: clocks of two machines may differ.
 * Source: client-go tools/leaderelection.
 */
import type { KubeObject } from "#apimachinery/object.ts";
import { isConflict, isNotFound } from "#apimachinery/status.ts";
import { type Clock, rfc3339Micro, type Timer } from "#base/clock.ts";
import { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceTarget } from "./client.ts";
import type { EventRecorder } from "./events.ts";

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly namespace: string;
  readonly name: string;
  /** Unique among candidates: host name and a random part. */
  readonly identity: string;
  readonly events?: EventRecorder;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
  /** Starts the work; everything live belongs to `lifetime`, which ends with leadership. */
  readonly lead: (lifetime: Lifetime) => void | Promise<void>;
  /** Leadership ended, other than by the end of the election itself. Upstream exits here. */
  readonly lost: () => void;
}

export interface LeaseSpec {
  holderIdentity?: string | undefined;
  leaseDurationSeconds?: number | undefined;
  acquireTime?: string | undefined;
  renewTime?: string | undefined;
  leaseTransitions?: number | undefined;
}

interface LeaseObject extends KubeObject {
  spec?: LeaseSpec | undefined;
}

const leases: ResourceTarget = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  scope: "Namespaced",
};

/** Retries are spread by up to this factor, so that candidates do not move in step. */
export const jitterFactor = 1.2;

export function startLeaderElection(options: LeaderElectionOptions): void {
  const { clock, log, lifetime } = options;
  const retryPeriodMs = options.retryPeriodMs ?? 2000;
  const renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
  const claim = createClaim(options);
  let term: Lifetime | undefined;
  let deadline: Timer | undefined;
  let next: Timer | undefined;

  lifetime.defer(async () => {
    next?.[Symbol.dispose]();
    deadline?.[Symbol.dispose]();
    const held = term !== undefined;
    await term?.end();
    if (held) await claim.release().catch((error: unknown) => log.error("release failed", error));
  });
  void attempt();

  async function attempt(): Promise<void> {
    const held = await claim.tryHold().catch((error: unknown) => {
      log.debug("leader election attempt failed", { error });
      return false;
    });
    if (lifetime.ended) return;
    if (held) extend();
    const delayMs = term
      ? retryPeriodMs
      : retryPeriodMs * (1 + jitterFactor * options.random.float());
    next = clock.after(delayMs, () => void attempt());
  }

  function extend(): void {
    deadline?.[Symbol.dispose]();
    deadline = clock.after(renewDeadlineMs, lose);
    if (term !== undefined) return;
    term = new Lifetime(`leader ${options.name}`);
    claim.announce("became leader");
    void Promise.resolve(options.lead(term)).catch((error: unknown) => {
      log.error("leading failed", error);
      lose();
    });
  }

  function lose(): void {
    if (term === undefined || lifetime.ended) return;
    const ended = term;
    term = undefined;
    claim.announce("stopped leading");
    void ended.end().then(options.lost);
  }
}

interface Claim {
  /** Takes or renews the Lease; false when another holds it or was faster. */
  tryHold(): Promise<boolean>;
  release(): Promise<void>;
  announce(what: string): void;
}

function createClaim(options: LeaderElectionOptions): Claim {
  const { clock, identity } = options;
  const leaseDurationMs = options.leaseDurationMs ?? 15_000;
  const key = `${options.namespace}/${options.name}`;
  const client = options.client.dynamic(leases);
  let observed: LeaseObject | undefined;
  let observedMs = -Infinity;

  function observe(lease: LeaseObject): void {
    if (JSON.stringify(lease.spec) !== JSON.stringify(observed?.spec))
      observedMs = clock.monotonicMs();
    observed = lease;
  }

  function specFor(old: LeaseSpec | undefined): LeaseSpec {
    const now = rfc3339Micro(clock.nowMs());
    const mine = old?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.floor(leaseDurationMs / 1000)),
      acquireTime: mine ? old.acquireTime : now,
      renewTime: now,
      leaseTransitions: (old?.leaseTransitions ?? 0) + (old === undefined || mine ? 0 : 1),
    };
  }

  async function tryHold(): Promise<boolean> {
    let current: LeaseObject;
    try {
      current = await client.get(key);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const metadata = { namespace: options.namespace, name: options.name };
      const fresh: LeaseObject = { metadata, spec: specFor(undefined) };
      observe(await client.create(fresh));
      return true;
    }
    observe(current);
    const holder = current.spec?.holderIdentity ?? "";
    const fresh = clock.monotonicMs() < observedMs + leaseDurationMs;
    if (holder !== "" && holder !== identity && fresh) return false;
    try {
      const taken: LeaseObject = { ...current, spec: specFor(current.spec) };
      observe(await client.update(taken));
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  async function release(): Promise<void> {
    if (observed?.spec?.holderIdentity !== identity) return;
    const now = rfc3339Micro(clock.nowMs());
    const { leaseTransitions } = observed.spec;
    const spec: LeaseSpec = {
      holderIdentity: "",
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
      leaseTransitions,
    };
    const free: LeaseObject = { ...observed, spec };
    await client.update(free);
  }

  function announce(what: string): void {
    const { namespace, name } = options;
    const regarding = {
      kind: "Lease",
      apiVersion: "coordination.k8s.io/v1",
      metadata: { namespace, name },
    };
    options.events?.normal(regarding, "LeaderElection", `${identity} ${what}`);
  }

  return { tryHold, release, announce };
}

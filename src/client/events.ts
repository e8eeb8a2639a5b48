/**
 * Events about objects, as client-go's tools/record writes them: core/v1, one for each thing that
 * happened, counted when it repeats, merged when many alike come, dropped when they flood.
 *
 * 1. Nobody waits for an event: failures are retried by nobody and logged.
 * 2. The same event again (`involvedObject`, type, reason, message, source) raises the count.
 * 3. From the tenth event of one reason about one object within 10 minutes on, with whatever
 *    messages, they become one: `(combined from similar events): ` and the newest message.
 * 4. One source may write 25 events about an object at once, then one every 5 minutes.
 */
import type { KubeObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { type Clock, rfc3339 } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Client, ResourceTarget } from "./client.ts";
import { createEventWrites } from "./event-writes.ts";

export interface EventRecorder {
  normal(regarding: KubeObject, reason: string, message: string): void;
  warning(regarding: KubeObject, reason: string, message: string): void;
}

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends with it: nothing is written after. */
  readonly lifetime: Lifetime;
  /** `source.component`, e.g. `replicaset-controller`. */
  readonly component: string;
  readonly host?: string;
}

interface ObjectReference {
  kind?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
  uid?: string | undefined;
  apiVersion?: string | undefined;
  resourceVersion?: string | undefined;
  fieldPath?: string | undefined;
}

interface EventObject extends KubeObject {
  involvedObject: ObjectReference;
  reason: string;
  message: string;
  source: { component: string; host?: string | undefined };
  firstTimestamp: string;
  lastTimestamp: string;
  count: number;
  type: string;
  eventTime: null;
  reportingComponent: string;
  reportingInstance: string;
}

const eventTarget: ResourceTarget = {
  group: "",
  version: "v1",
  plural: "events",
  kind: "Event",
  scope: "Namespaced",
};

/** Most records kept of what was written. */
const recordsMax = 4096;
const similarMax = 10;
const similarIntervalMs = 600_000;
const spamBurst = 25;
const spamIntervalMs = 300_000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { clock, log, lifetime } = options;
  const client = options.client.dynamic(eventTarget);
  const correlate = createCorrelator(clock);
  const stamp = createStamps(clock);
  const writes = createEventWrites();

  function record(
    type: string,
    regarding: KubeObject,
    said: { reason: string; message: string },
  ): void {
    if (lifetime.ended) return;
    const source = {
      component: options.component,
      ...(options.host !== undefined && { host: options.host }),
    };
    const event = eventOf({ type, regarding, ...said, source, nowMs: clock.nowMs(), stamp: stamp() });
    const { uid, namespace, name } = event.involvedObject;
    // One at a time about an object, so that the count of an event is known before the next of its like.
    writes.push(`${uid} ${namespace}/${name}`, async () => {
      const known = correlate(event);
      if (known === undefined) return;
      await write(known).catch((error: unknown) =>
        log.debug("event not written", { reason: event.reason, error }),
      );
    });
  }

  async function write(record: EventRecord): Promise<void> {
    const { event } = record;
    const { signal } = lifetime;
    const key = `${event.metadata?.namespace}/${record.writtenName}`;
    if (record.writtenName !== undefined) {
      const { count, lastTimestamp, message } = event;
      const patch = { type: "merge", body: { count, lastTimestamp, message } } as const;
      try {
        await client.patch(key, patch, { signal });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    await client.create(event as KubeObject, { signal });
    record.writtenName = event.metadata?.name;
  }

  return {
    normal: (regarding, reason, message) => record("Normal", regarding, { reason, message }),
    warning: (regarding, reason, message) => record("Warning", regarding, { reason, message }),
  };
}

interface Said {
  readonly type: string;
  readonly regarding: KubeObject & { readonly fieldPath?: string };
  readonly reason: string;
  readonly message: string;
  readonly source: EventObject["source"];
  readonly nowMs: number;
  readonly stamp: string;
}

/** Hexadecimal nanoseconds, each call more than the one before: the end of an event's name. */
export function createStamps(clock: Clock): () => string {
  let last = 0n;
  return () => {
    const now = BigInt(Math.floor(clock.nowMs())) * 1_000_000n;
    last = now > last ? now : last + 1n;
    return last.toString(16);
  };
}

function eventOf(said: Said): EventObject {
  const { regarding, source, nowMs } = said;
  const { kind, apiVersion, metadata, fieldPath } = regarding;
  return {
    kind: "Event",
    apiVersion: "v1",
    metadata: {
      namespace: metadata?.namespace ?? "default",
      name: `${metadata?.name}.${said.stamp}`,
    },
    involvedObject: {
      kind,
      ...(metadata?.namespace !== undefined && { namespace: metadata.namespace }),
      name: metadata?.name,
      uid: metadata?.uid,
      apiVersion,
      resourceVersion: metadata?.resourceVersion,
      ...(fieldPath !== undefined && { fieldPath }),
    },
    reason: said.reason,
    message: said.message.slice(0, 1024),
    source,
    firstTimestamp: rfc3339(nowMs),
    lastTimestamp: rfc3339(nowMs),
    count: 1,
    type: said.type,
    eventTime: null,
    reportingComponent: source.component,
    reportingInstance: source.host ?? "",
  };
}

interface EventRecord {
  event: EventObject;
  /** Name under which the server has it. */
  writtenName: string | undefined;
}

/** Decides what becomes of an event: a record to write, or nothing. */
function createCorrelator(clock: Clock): (event: EventObject) => EventRecord | undefined {
  const records = new Map<string, EventRecord>();
  const similar = new Map<string, { readonly messages: Set<string>; lastMs: number }>();
  const allowances = new Map<string, { tokens: number; lastMs: number }>();

  /** The key and message after merging (3). */
  function aggregate(event: EventObject): { key: string; message: string } {
    const nowMs = clock.monotonicMs();
    const key = aggregateKey(event);
    const known = similar.get(key);
    const recent = known !== undefined && nowMs - known.lastMs <= similarIntervalMs;
    const group = recent ? known : { messages: new Set<string>(), lastMs: nowMs };
    group.lastMs = nowMs;
    group.messages.add(event.message);
    remember(similar, key, group);
    if (group.messages.size < similarMax)
      return { key: `${key}\n${event.message}`, message: event.message };
    const oldest = group.messages.values().next().value;
    if (oldest !== undefined) group.messages.delete(oldest);
    return { key, message: `(combined from similar events): ${event.message}` };
  }

  function allowed(event: EventObject): boolean {
    const nowMs = clock.monotonicMs();
    const key = JSON.stringify([
      event.source,
      event.involvedObject.uid,
      event.involvedObject.name,
      event.involvedObject.namespace,
    ]);
    const bucket = allowances.get(key) ?? { tokens: spamBurst, lastMs: nowMs };
    bucket.tokens = Math.min(spamBurst, bucket.tokens + (nowMs - bucket.lastMs) / spamIntervalMs);
    bucket.lastMs = nowMs;
    remember(allowances, key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  return (event) => {
    const { key, message } = aggregate(event);
    const known = records.get(key);
    const merged =
      known === undefined
        ? { ...event, message }
        : {
            ...event,
            message,
            count: known.event.count + 1,
            firstTimestamp: known.event.firstTimestamp,
          };
    const record: EventRecord = { event: merged, writtenName: known?.writtenName };
    remember(records, key, record);
    return allowed(event) ? record : undefined;
  };
}

function aggregateKey(event: EventObject): string {
  const { source, involvedObject: about, type, reason } = event;
  return JSON.stringify([
    source.component,
    source.host,
    about.kind,
    about.namespace,
    about.name,
    about.uid,
    about.apiVersion,
    about.fieldPath,
    type,
    reason,
  ]);
}

/** Puts `key` last, and drops the one that was longest unused beyond the limit. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= recordsMax) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}

/**
 * Events of events.k8s.io, as client-go's tools/events writes them: one for each thing that happened,
 * a series when the same comes again. "The same" is everything but the note.
 *
 * 1. Nobody waits for an event: failures are retried by nobody and logged.
 * 2. The second of its like makes the event a series of 2; further ones are counted here, and told
 *    when none came for `finishMs`, or every `refreshMs` while they come.
 * 3. An event that stayed alone is forgotten after `finishMs`.
 */
import type { KubeObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { type Clock, rfc3339Micro, type Timer } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Client, ResourceTarget } from "./client.ts";
import { createEventWrites } from "./event-writes.ts";
import { createStamps } from "./events.ts";

export interface Happening {
  readonly regarding: KubeObject;
  /** A second object that it involves. */
  readonly related?: KubeObject;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  /** What was done, or failed: `Binding`. */
  readonly action: string;
  readonly note: string;
}

export interface HappeningRecorder {
  record(happening: Happening): void;
}

export interface HappeningRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends with it: nothing is written after. */
  readonly lifetime: Lifetime;
  /** `reportingController`, e.g. `default-scheduler`. */
  readonly controller: string;
  /** Its name with this after it is the `reportingInstance`. */
  readonly host: string;
}

const target: ResourceTarget = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  scope: "Namespaced",
};

const finishMs = 360_000;
const refreshMs = 1_800_000;
/** Events that may yet become series; the oldest are taken for finished. */
export const seriesMax = 4096;
/** Longest note that the API server takes. */
const noteLengthMax = 1024;

interface Series {
  readonly event: KubeObject;
  readonly key: string;
  count: number;
  lastMs: number;
  /** Last told; undefined before it is a series. */
  toldMs: number | undefined;
  toldCount: number;
}

export function createHappeningRecorder(options: HappeningRecorderOptions): HappeningRecorder {
  const { clock, log, lifetime, controller } = options;
  const events = options.client.dynamic(target);
  const reportingInstance = `${controller}-${options.host}`;
  const stamp = createStamps(clock);
  const writes = createEventWrites();
  const known = new Map<string, Series>();
  let timer: Timer | undefined;
  lifetime.defer(() => timer?.[Symbol.dispose]());

  function record(happening: Happening): void {
    if (lifetime.ended) return;
    const key = keyOf(happening);
    const nowMs = clock.nowMs();
    const series = known.get(key);
    if (series !== undefined) return again(series, nowMs);
    const event = eventOf(happening, { nowMs, stamp: stamp(), controller, reportingInstance });
    known.set(key, { event, key, count: 1, lastMs: nowMs, toldMs: undefined, toldCount: 1 });
    if (known.size > seriesMax) finish(known.values().next().value as Series);
    arm();
    write(key, () => events.create(event, { signal: lifetime.signal }));
  }

  function again(series: Series, nowMs: number): void {
    series.count++;
    series.lastMs = nowMs;
    if (series.toldMs === undefined) tell(series);
  }

  function tell(series: Series): void {
    const { event, key } = series;
    series.toldMs = clock.nowMs();
    series.toldCount = series.count;
    const told = { count: series.count, lastObservedTime: rfc3339Micro(series.lastMs) };
    write(key, async () => {
      const { metadata } = event;
      const patch = { type: "strategic", body: { series: told } } as const;
      try {
        await events.patch(`${metadata?.namespace}/${metadata?.name}`, patch, { signal: lifetime.signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        await events.create({ ...event, series: told } as KubeObject, { signal: lifetime.signal });
      }
    });
  }

  function write(key: string, work: () => Promise<unknown>): void {
    writes.push(key, () =>
      work().then(
        () => undefined,
        (error: unknown) => log.debug("event not written", { controller, error }),
      ),
    );
  }

  function finish(series: Series): void {
    known.delete(series.key);
    if (series.count > series.toldCount) tell(series);
  }

  function arm(): void {
    timer ??= clock.after(finishMs, () => {
      timer = undefined;
      const nowMs = clock.nowMs();
      for (const series of known.values()) {
        if (series.lastMs <= nowMs - finishMs) finish(series);
        else if (series.toldMs !== undefined && series.toldMs <= nowMs - refreshMs) tell(series);
      }
      if (known.size > 0) arm();
    });
  }

  return { record };
}

function keyOf({ regarding, related, type, reason, action }: Happening): string {
  return JSON.stringify([type, action, reason, referenceTo(regarding), related && referenceTo(related)]);
}

function referenceTo({ kind, apiVersion, metadata }: KubeObject) {
  return {
    kind,
    ...(metadata?.namespace !== undefined && { namespace: metadata.namespace }),
    name: metadata?.name,
    uid: metadata?.uid,
    apiVersion,
    resourceVersion: metadata?.resourceVersion,
  };
}

interface Circumstances {
  readonly nowMs: number;
  readonly stamp: string;
  readonly controller: string;
  readonly reportingInstance: string;
}

function eventOf(happening: Happening, at: Circumstances): KubeObject {
  const { regarding, related, type, reason, action, note } = happening;
  const event = {
    kind: "Event",
    apiVersion: "events.k8s.io/v1",
    metadata: {
      namespace: regarding.metadata?.namespace ?? "default",
      name: `${regarding.metadata?.name}.${at.stamp}`,
    },
    eventTime: rfc3339Micro(at.nowMs),
    reportingController: at.controller,
    reportingInstance: at.reportingInstance,
    action,
    reason,
    regarding: referenceTo(regarding),
    ...(related && { related: referenceTo(related) }),
    note: note.slice(0, noteLengthMax),
    type,
  };
  return event;
}

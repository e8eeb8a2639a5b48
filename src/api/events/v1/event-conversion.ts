import type { Event as CoreEvent } from "#api/core/v1/event.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Conversion } from "#apimachinery/resource.ts";
import type { Event } from "./event.ts";

/** The newer names of an event's fields, by those of core/v1, in which events are stored. */
const renamed = {
  involvedObject: "regarding",
  message: "note",
  source: "deprecatedSource",
  firstTimestamp: "deprecatedFirstTimestamp",
  lastTimestamp: "deprecatedLastTimestamp",
  count: "deprecatedCount",
  reportingComponent: "reportingController",
} as const;

export function toCoreEvent(event: Event): CoreEvent {
  const core: Record<string, unknown> = { ...event };
  for (const [coreName, name] of Object.entries(renamed)) {
    delete core[name];
    core[coreName] = event[name as keyof Event];
  }
  core["involvedObject"] ??= {};
  core["reportingComponent"] ??= "";
  core["reportingInstance"] ??= "";
  return core as unknown as CoreEvent;
}

export function fromCoreEvent(core: CoreEvent): Event {
  const event: Record<string, unknown> = { ...core };
  for (const [coreName, name] of Object.entries(renamed)) {
    delete event[coreName];
    event[name] = core[coreName as keyof CoreEvent];
  }
  return event as unknown as Event;
}

export const eventConversion: Conversion = {
  toStorage: (object) => toCoreEvent(object as Event) as KubeObject,
  fromStorage: (object) => fromCoreEvent(object as CoreEvent) as KubeObject,
};

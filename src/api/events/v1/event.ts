import { eventColumns } from "#api/core/v1/event-columns.ts";
import { eventConversion, toCoreEvent } from "./event-conversion.ts";
import { EventSource } from "#api/core/v1/event.ts";
import { ObjectReference } from "#api/core/v1/object-reference.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  kind,
  microTime,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";

export const EventSeries = struct("io.k8s.api.events.v1.EventSeries", {
  count: req(1, int32),
  lastObservedTime: req(2, microTime),
});
export interface EventSeries extends Infer<typeof EventSeries> {}

export const Event = kind("io.k8s.api.events.v1.Event", {
  metadata,
  eventTime: req(2, microTime),
  series: ptr(3, EventSeries),
  reportingController: opt(4, string),
  reportingInstance: opt(5, string),
  action: opt(6, string),
  reason: opt(7, string),
  regarding: opt(8, ObjectReference),
  related: ptr(9, ObjectReference),
  note: opt(10, string),
  type: opt(11, string),
  deprecatedSource: opt(12, EventSource),
  deprecatedFirstTimestamp: opt(13, time),
  deprecatedLastTimestamp: opt(14, time),
  deprecatedCount: opt(15, int32),
});
export interface Event extends Infer<typeof Event> {}

export const events = defineResource<Event>({
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  scope: "Namespaced",
  schema: Event,
  conversion: eventConversion,
  fieldSelectors: {
    "regarding.kind": ({ regarding }) => regarding?.kind ?? "",
    "regarding.namespace": ({ regarding }) => regarding?.namespace ?? "",
    "regarding.name": ({ regarding }) => regarding?.name ?? "",
    "regarding.uid": ({ regarding }) => regarding?.uid ?? "",
    "regarding.apiVersion": ({ regarding }) => regarding?.apiVersion ?? "",
    "regarding.resourceVersion": ({ regarding }) => regarding?.resourceVersion ?? "",
    "regarding.fieldPath": ({ regarding }) => regarding?.fieldPath ?? "",
    reason: ({ reason }) => reason ?? "",
    reportingController: ({ reportingController }) => reportingController ?? "",
    type: ({ type }) => type ?? "",
  },
  columns: eventColumns.map((column) => ({
    ...column,
    cell: (event: Event, nowMs: number) => column.cell(toCoreEvent(event), nowMs),
  })),
});

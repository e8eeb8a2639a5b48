import { validateEvent } from "./event-validation.ts";
import { eventColumns } from "./event-columns.ts";
import { ObjectMeta } from "#apimachinery/meta/object-meta.ts";
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
import { ObjectReference } from "./object-reference.ts";

export const EventSource = struct("io.k8s.api.core.v1.EventSource", {
  component: opt(1, string),
  host: opt(2, string),
});
export interface EventSource extends Infer<typeof EventSource> {}

export const EventSeries = struct("io.k8s.api.core.v1.EventSeries", {
  count: opt(1, int32),
  lastObservedTime: opt(2, microTime),
});
export interface EventSeries extends Infer<typeof EventSeries> {}

export const Event = kind("io.k8s.api.core.v1.Event", {
  metadata: req(1, ObjectMeta),
  involvedObject: req(2, ObjectReference),
  reason: opt(3, string),
  message: opt(4, string),
  source: opt(5, EventSource),
  firstTimestamp: opt(6, time),
  lastTimestamp: opt(7, time),
  count: opt(8, int32),
  type: opt(9, string),
  eventTime: opt(10, microTime),
  series: ptr(11, EventSeries),
  action: opt(12, string),
  related: ptr(13, ObjectReference),
  reportingComponent: req(14, string, { required: false }),
  reportingInstance: req(15, string, { required: false }),
});
export interface Event extends Infer<typeof Event> {}

export const events = defineResource<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  scope: "Namespaced",
  schema: Event,
  strategy: {
    allowCreateOnUpdate: true,
    validate: (event) => [...validateEvent(event)],
    validateUpdate: (event) => [...validateEvent(event)],
  },
  fieldSelectors: {
    "involvedObject.kind": ({ involvedObject }) => involvedObject.kind ?? "",
    "involvedObject.namespace": ({ involvedObject }) => involvedObject.namespace ?? "",
    "involvedObject.name": ({ involvedObject }) => involvedObject.name ?? "",
    "involvedObject.uid": ({ involvedObject }) => involvedObject.uid ?? "",
    "involvedObject.apiVersion": ({ involvedObject }) => involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": ({ involvedObject }) => involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": ({ involvedObject }) => involvedObject.fieldPath ?? "",
    reason: ({ reason }) => reason ?? "",
    reportingComponent: ({ reportingComponent }) => reportingComponent,
    source: ({ source, reportingComponent }) => source?.component || reportingComponent,
    type: ({ type }) => type ?? "",
  },
  columns: eventColumns,
});

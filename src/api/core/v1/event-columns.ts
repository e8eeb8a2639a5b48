import { ageText, column } from "#apimachinery/columns.ts";
import type { Column } from "#apimachinery/resource.ts";
import type { Event } from "./event.ts";

/** Both groups of events print these; events.k8s.io is stored as core. */
export const eventColumns: readonly Column<Event>[] = [
  column("Last Seen", (event, nowMs) => ageText(lastSeen(event), nowMs), { description: "When it happened last." }),
  column("Type", (event) => event.type ?? "", { description: "Normal, or Warning." }),
  column("Reason", (event) => event.reason ?? "", { description: "What happened, in one word." }),
  column("Object", ({ involvedObject: { kind = "", name = "" } }) =>
    name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`, { description: "What it happened to." }),
  column("Subobject", ({ involvedObject }) => involvedObject.fieldPath ?? "", {
    description: "The part of the object, a container for instance.",
    wide: true,
  }),
  column("Source", sourceText, { description: "The component that reports it.", wide: true }),
  column("Message", (event) => (event.message ?? "").trim(), { description: "What happened." }),
  column("First Seen", (event, nowMs) => ageText(event.firstTimestamp ?? event.eventTime, nowMs), {
    description: "When it happened first.",
    wide: true,
  }),
  column("Count", countOf, { description: "How often it happened.", wide: true }),
  {
    ...column("Name", (event: Event) => event.metadata.name ?? "", { description: "Name of the event.", wide: true }),
    format: "name",
  },
];

function lastSeen({ series, lastTimestamp, eventTime, firstTimestamp }: Event): string | undefined {
  return series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp;
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent;
  const host = source?.host || reportingInstance;
  return host ? `${component}, ${host}` : component;
}

function countOf({ series, count }: Event): number {
  return series?.count ?? (count || 1);
}

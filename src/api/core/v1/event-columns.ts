import { ageText, column } from "#apimachinery/columns.ts";
import type { Column } from "#apimachinery/resource.ts";
import type { Event } from "./event.ts";

/** Both groups of events print these; events.k8s.io is stored as core. */
export const eventColumns: readonly Column<Event>[] = [
  column("Last Seen", (event, nowMs) => ageText(lastSeen(event), nowMs)),
  column("Type", (event) => event.type ?? ""),
  column("Reason", (event) => event.reason ?? ""),
  column("Object", ({ involvedObject: { kind = "", name = "" } }) =>
    name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
  ),
  column("Subobject", ({ involvedObject }) => involvedObject.fieldPath ?? "", { wide: true }),
  column("Source", sourceText, { wide: true }),
  column("Message", (event) => (event.message ?? "").trim()),
  column("First Seen", (event, nowMs) => ageText(event.firstTimestamp ?? event.eventTime, nowMs), {
    wide: true,
  }),
  column("Count", countOf, { wide: true }),
  {
    ...column("Name", (event: Event) => event.metadata.name ?? "", { wide: true }),
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

import type { KubeObject } from "./object.ts";
import type { Column } from "./resource.ts";

/** Columns that most kinds print, and how Go prints spans of time. Source: pkg/printers. */
interface ColumnOptions {
  readonly type?: Column<unknown>["type"];
  readonly description?: string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
}

/** A column whose cell reads the object. */
export function column<T>(
  name: string,
  cell: (object: T, nowMs: number) => unknown,
  { type = "string", description = "", wide = false }: ColumnOptions = {},
): Column<T> {
  return { name, type, description, priority: wide ? 1 : 0, cell };
}

/** What tables say of the columns that all kinds have. Source: swagger docs of meta/v1 ObjectMeta. */
export const nameDescription =
  "Name must be unique within a namespace. Is required when creating resources, although some " +
  "resources may allow a client to request the generation of an appropriate name automatically. " +
  "Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. " +
  "More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

export const creationDescription =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is " +
  "not guaranteed to be set in happens-before order across separate operations. Clients may not set " +
  "this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. " +
  "Null for lists. More info: " +
  "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

export const nameColumn: Column<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  description: nameDescription,
  cell: (object) => object.metadata?.name ?? "",
};

export const ageColumn: Column<KubeObject> = {
  name: "Age",
  type: "string",
  description: creationDescription,
  cell: (object, nowMs) => ageText(object.metadata?.creationTimestamp, nowMs),
};

/** `5m`, or `<unknown>` without a time. */
export function ageText(time: string | undefined, nowMs: number): string {
  return time ? humanDuration(nowMs - Date.parse(time)) : "<unknown>";
}

const minuteSeconds = 60;
const hourMinutes = 60;
const dayHours = 24;
const yearDays = 365;

/** Two units at most, fewer as the span grows. Source: apimachinery/pkg/util/duration. */
export function humanDuration(spanMs: number): string {
  const seconds = Math.trunc(spanMs / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 2 * minuteSeconds) return `${seconds}s`;
  const minutes = Math.trunc(seconds / minuteSeconds);
  if (minutes < 10) return withRest(`${minutes}m`, seconds % minuteSeconds, "s");
  if (minutes < 3 * hourMinutes) return `${minutes}m`;
  const hours = Math.trunc(minutes / hourMinutes);
  if (hours < 8) return withRest(`${hours}h`, minutes % hourMinutes, "m");
  if (hours < 2 * dayHours) return `${hours}h`;
  const days = Math.trunc(hours / dayHours);
  if (days < 8) return withRest(`${days}d`, hours % dayHours, "h");
  if (days < 2 * yearDays) return `${days}d`;
  const years = Math.trunc(days / yearDays);
  return years < 8 ? withRest(`${years}y`, days % yearDays, "d") : `${years}y`;
}

function withRest(main: string, rest: number, unit: string): string {
  return rest === 0 ? main : `${main}${rest}${unit}`;
}

/** `a=b,c=d` in the order of keys, `<none>` when empty. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}

interface Named {
  readonly name: string;
  readonly image?: string | undefined;
}

/** Wide columns of kinds with a Pod template. */
export function containersText(containers: readonly Named[]): string {
  return containers.map(({ name }) => name).join(",");
}

export function imagesText(containers: readonly Named[]): string {
  return containers.map(({ image = "" }) => image).join(",");
}

/** Joins with commas; more than `shownMax` are counted only: `a,b,c + 2 more...`. */
export function listText(items: readonly string[], shownMax: number): string {
  const shown = items.slice(0, shownMax).join(",");
  const rest = items.length - shownMax;
  return rest > 0 ? `${shown} + ${rest} more...` : shown;
}

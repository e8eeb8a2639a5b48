import type { LogFields } from "./log.ts";

export interface LogLine {
  readonly severity: "info" | "warn" | "error";
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly processId: number;
  /** The component; empty for none. */
  readonly name: string;
  readonly verbosity: number;
  readonly message: string;
  readonly error?: unknown;
  readonly fields?: LogFields | undefined;
}

export type LogFormat = (line: LogLine) => string;

/** `I1125 02:13:50.000000   12345 scheduler] "Bound pod" pod="ns/web"`, in local time as klog. */
export function klogText(line: LogLine): string {
  const at = new Date(line.atMs);
  const head =
    line.severity.charAt(0).toUpperCase() +
    two(at.getMonth() + 1) +
    `${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.` +
    `${String(Math.floor(line.atMs * 1000) % 1_000_000).padStart(6, "0")} ` +
    `${String(line.processId).padStart(7)} ${line.name === "" ? "kubets" : line.name}] `;
  let text = head + quoted(line.message);
  if (line.error !== undefined) text += ` err=${textValue(errorText(line.error))}`;
  for (const [key, value] of Object.entries(line.fields ?? {}))
    text += ` ${key}=${textValue(value)}`;
  return `${text}\n`;
}

/** `{"ts":1732500830000.123,"logger":"scheduler","v":0,"msg":"Bound pod","pod":"default/web"}`. */
export function jsonLine(line: LogLine): string {
  let text = `{"ts":${line.atMs}`;
  if (line.name !== "") text += `,"logger":${JSON.stringify(line.name)}`;
  if (line.severity === "info") text += `,"v":${line.verbosity}`;
  else text += `,"level":${JSON.stringify(line.severity)}`;
  text += `,"msg":${JSON.stringify(line.message)}`;
  if (line.error !== undefined) text += `,"err":${JSON.stringify(errorText(line.error))}`;
  for (const [key, value] of Object.entries(line.fields ?? {})) {
    text += `,${JSON.stringify(key)}:${jsonText(value)}`;
  }
  return `${text}}\n`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** Several lines are indented between `=<` and `>`, as klog prints them. */
function textValue(value: unknown): string {
  if (typeof value === "string") {
    return value.includes("\n") ? `<\n\t${value.replaceAll("\n", "\n\t")}\n >` : quoted(value);
  }
  if (value === undefined || value === null) return "<nil>";
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") {
    return String(value);
  }
  if (value instanceof Error) return textValue(errorText(value));
  return jsonText(value);
}

const plain = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;

function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** The messages of the error and of its causes, outermost first. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : jsonText(error);
  let text = error.message === "" ? error.name : error.message;
  for (let cause = error.cause, depth = 0; cause instanceof Error && depth < 5; depth++) {
    if (!text.includes(cause.message)) text += `: ${cause.message}`;
    cause = cause.cause;
  }
  return text;
}

function jsonText(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(errorText(value));
  try {
    return JSON.stringify(value, jsonSafe) ?? "null";
  } catch {
    return JSON.stringify(String(value));
  }
}

function jsonSafe(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return errorText(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}

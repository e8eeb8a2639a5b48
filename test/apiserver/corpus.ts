import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/**
 * Replays scenarios that a real API server answered and tells which steps are answered otherwise.
 * A scenario is `{ about, namespace?, steps: [Step...] }`; `${name}` in a step is a saved value.
 */
interface Step {
  readonly do: string;
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: unknown;
  readonly save?: Readonly<Record<string, string>>;
  readonly ignore?: readonly string[];
  readonly wait?: { readonly path: string; readonly is: unknown };
  readonly expect: Answered;
}

interface Answered {
  readonly status: number;
  readonly warnings?: readonly unknown[];
  readonly body?: unknown;
}

export interface Target {
  readonly port: number;
  readonly token: string;
}

type Saved = Record<string, unknown>;
type Json = Record<string, unknown>;

const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
const answerMsMax = 20_000;
const waitTriesMax = 100;
const waitMs = 20;

/** Files of a directory of the corpus, relative to its root. */
export function scenariosIn(root: string, directory: string): string[] {
  const names = readdirSync(join(root, directory), { recursive: true }).map(String);
  return names.filter((name) => name.endsWith(".json")).map((name) => join(directory, name)).toSorted();
}

/** What of one step's answer is not compared: members by path, `items/0/data/a`; a last name may end with `*`. */
export interface Difference {
  readonly step: number;
  readonly path: string;
}

export interface ReplayOptions {
  /** Part of names, as long as the recorded one: texts that are cut are cut at the same place. */
  readonly suffix: string;
  readonly differences: readonly Difference[];
}

export const suffixLength = 7;

/** What is answered otherwise than recorded, and which differences there are not: a text each. */
export async function replay(target: Target, file: string, { suffix, differences }: ReplayOptions): Promise<string[]> {
  const scenario = JSON.parse(readFileSync(file, "utf8")) as { namespace?: boolean; steps: Step[] };
  const saved: Saved = { rand: suffix, ns: `replay-${suffix}`, port: target.port };
  const own = scenario.namespace !== false;
  if (own) await call(target, { do: "POST /api/v1/namespaces", body: { metadata: { name: saved["ns"] } } });
  const found: string[] = [];
  for (const [i, step] of scenario.steps.entries()) {
    const paths = differences.filter((difference) => difference.step === i + 1).map(({ path }) => path);
    found.push(...(await compare(target, step, { saved, paths })).map((text) => `step ${i + 1} ${text}`));
  }
  if (own) await call(target, { do: `DELETE /api/v1/namespaces/${String(saved["ns"])}` });
  return found;
}

/** Makes requests whose answers do not matter: what an earlier scenario left behind. */
export async function prepare(target: Target, steps: readonly Pick<Step, "do" | "body" | "headers">[]): Promise<void> {
  for (const step of steps) {
    const { status, text } = await call(target, step);
    if (status >= 300 || status === 0) throw new Error(`${step.do}: ${status} ${text}`);
  }
}

/** Asks once; where the step waits for a value, until it is there. */
async function ask(target: Target, step: Step, saved: Saved): Promise<{ answer: Received; parsed: unknown }> {
  const filled = {
    ...step,
    do: fillText(step.do, saved),
    ...(step.body !== undefined && { body: fill(step.body, saved) }),
    headers: fill(step.headers ?? {}, saved) as Record<string, string>,
  };
  for (let tries = 1; ; tries++) {
    const answer = await call(target, filled);
    const parsed = parse(answer.text);
    const { wait } = step;
    if (wait === undefined || tries > waitTriesMax) return { answer, parsed };
    if (JSON.stringify(pick(parsed, wait.path)) === JSON.stringify(wait.is)) return { answer, parsed };
    await setTimeout(waitMs);
  }
}

async function compare(
  target: Target,
  step: Step,
  { saved, paths }: { readonly saved: Saved; readonly paths: readonly string[] },
): Promise<string[]> {
  const { answer, parsed } = await ask(target, step, saved);
  for (const [name, path] of Object.entries(step.save ?? {})) saved[name] = pick(parsed, path);
  const got: Answered = {
    status: answer.status,
    ...(answer.warnings.length > 0 && { warnings: answer.warnings.map((text) => normal(text, saved)) }),
    body: normal(parsed, saved),
  };
  const want = structuredClone(step.expect);
  for (const path of step.ignore ?? []) {
    drop(got.body, path);
    drop(want.body, path);
  }
  const unneeded = paths.filter((path) => sorted(take(got.body, path)) === sorted(take(want.body, path)));
  const isEqual = sorted(settle(got)) === sorted(settle(want));
  return [...(isEqual ? [] : ["differs"]), ...unneeded.map((path) => `does not differ in ${path}`)];
}

/** Removes members and gives their values back. */
function take(value: unknown, path: string): unknown[] {
  const names = path.split("/");
  const last = names.pop() ?? "";
  const at = names.reduce<unknown>((container, name) => (container as Json | undefined)?.[name], value);
  const taken: unknown[] = [];
  if (at === null || typeof at !== "object") return taken;
  const isMeant = (name: string): boolean => (last.endsWith("*") ? name.startsWith(last.slice(0, -1)) : name === last);
  for (const name of Object.keys(at).filter(isMeant)) {
    taken.push(name, (at as Json)[name]);
    delete (at as Json)[name];
  }
  return taken;
}

interface Received {
  readonly status: number;
  readonly warnings: readonly string[];
  readonly text: string;
}

function call(target: Target, step: Pick<Step, "do"> & Partial<Step>): Promise<Received> {
  const space = step.do.indexOf(" ");
  const body = step.body === undefined || typeof step.body === "string" ? step.body : JSON.stringify(step.body);
  const headers = {
    authorization: `Bearer ${target.token}`,
    accept: step.accept ?? "application/json",
    ...(typeof body === "string" && {
      "content-length": Buffer.byteLength(body),
      "content-type": step.type ?? "application/json",
    }),
    ...step.headers,
  };
  const options = {
    host: "127.0.0.1",
    port: target.port,
    method: step.do.slice(0, space),
    path: step.do.slice(space + 1),
    headers,
    agent,
    timeout: answerMsMax,
  };
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, warnings: [], text: error.message });
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const warnings = response.headers["warning"] ?? [];
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, warnings: [warnings].flat(), text });
      });
      response.on("error", failed);
    });
    sent.on("error", failed);
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.end(body);
  });
}

/** JSON, else one JSON value a line (a watch that ended), else the text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    try {
      return text.trim().split("\n").map((line) => JSON.parse(line) as unknown);
    } catch {
      return text;
    }
  }
}

function fillText(text: string, saved: Saved): string {
  return text
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => (saved[name] === undefined ? whole : String(saved[name])))
    .replace(/\$\{repeat:(.+?):(\d+)\}/g, (_whole, part: string, count: string) => part.repeat(Number(count)));
}

function fill(value: unknown, saved: Saved): unknown {
  if (typeof value === "string") return fillText(value, saved);
  if (Array.isArray(value)) return value.map((item) => fill(item, saved));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [fillText(key, saved), fill(item, saved)]));
}

function pick(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => (at as Json | undefined)?.[key], value);
}

function drop(value: unknown, path: string): void {
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const at = pick(value, keys.join(".")) ?? (keys.length === 0 ? value : undefined);
  if (at !== null && typeof at === "object") delete (at as Json)[last];
}

const volatileKeys = new Set(
  `uid resourceVersion creationTimestamp deletionTimestamp time startTime lastTransitionTime lastProbeTime
  lastUpdateTime firstTimestamp lastTimestamp selfLink continue requestReceivedTimestamp pod-template-hash
  controller-uid batch.kubernetes.io/controller-uid`.split(/\s+/),
);

/** Port of the server that was recorded. */
const recordedPort = 16443;

/** Values that differ from run to run are replaced by marks. */
function normal(value: unknown, saved: Saved, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => normal(item, saved));
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([name, item]) => [normal(name, saved), normal(item, saved, name)]));
  }
  if (volatileKeys.has(key) && value !== "" && value !== null) return `<${key}>`;
  if (value === saved["port"]) return recordedPort;
  return typeof value === "string" ? normalText(value, saved) : value;
}

function normalText(value: string, saved: Saved): string {
  let text = value
    .replaceAll(String(saved["port"]), String(recordedPort))
    .replaceAll(String(saved["ns"]), "<ns>")
    .replaceAll(String(saved["rand"]), "<rand>");
  for (const [name, known] of Object.entries(saved)) {
    if (name === "ns" || name === "rand" || typeof known !== "string" || known.length <= 3) continue;
    text = text.replaceAll(known, `<${name}>`);
  }
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uid>")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>")
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, "<ip>")
    .replace(
      /(resourceVersion\\*"?: ?\\*"|current: |ResourceVersion in object meta: |ResourceVersion in record \()\d+/g,
      "$1<resourceVersion>",
    );
}

/** An order of managed fields that does not depend on when steps ran; ages in cells, and words that are our own, are marks. */
function settle<T>(value: T): T {
  if (value === null || typeof value !== "object") return value;
  for (const item of Object.values(value)) settle(item);
  const { cells, managedFields, columnDefinitions } = value as Record<"cells" | "managedFields" | "columnDefinitions", unknown>;
  if (Array.isArray(columnDefinitions)) {
    (value as Json)["columnDefinitions"] = (columnDefinitions as Json[]).map((column) => ({ ...column, description: column["description"] !== "" }));
  }
  if (Array.isArray(cells)) {
    const age = /^(\d+[smhdy])+$|(?<=\()(\d+[smhdy])+(?= ago\)$)/;
    (value as Json)["cells"] = cells.map((cell: unknown) => (typeof cell === "string" ? cell.replace(age, "<age>") : cell));
  }
  if (Array.isArray(managedFields)) {
    (value as Json)["managedFields"] = managedFields.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }
  return value;
}

function rank(entry: unknown): string {
  const { operation, manager, apiVersion, subresource } = (entry ?? {}) as Json;
  return JSON.stringify([operation, manager, apiVersion, subresource]);
}

/** JSON with sorted keys. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/**
 * An API server alone: `node bench/api-server.ts [--quick]`. With `KUBE_PEER_DIR` (a directory with `kube-apiserver` and
 * `etcd`), or `PEER_URL` and `PEER_TOKEN`, a peer is asked the same in the same run, and ratios are printed.
 */
import type { HttpClient, HttpResponse } from "#base/http.ts";
import { type Subject, subjects } from "./api-server-peers.ts";
import { ask, done, podOf, pods, rate } from "./requests.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const now = "gracePeriodSeconds=0";

interface Sizes {
  readonly rated: number;
  readonly lists: readonly number[];
  readonly watchers: readonly number[];
  readonly watched: number;
  readonly starts: readonly number[];
}

const full: Sizes = {
  rated: 5000,
  lists: [10, 1000, 5000, 50_000],
  watchers: [1, 100, 1000],
  watched: 200,
  starts: [10_000, 100_000],
};
const quick: Sizes = { rated: 2000, lists: [10, 1000, 5000], watchers: [1, 100, 1000], watched: 50, starts: [10_000] };

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `/s` is better when more, all else when less. */
  readonly unit: "/s" | "ms" | "MiB";
}

/** Everything that is asked of one server. */
async function measure(subject: Subject, sizes: Sizes): Promise<Figure[]> {
  const figures: Figure[] = [];
  if (subject.start !== undefined) figures.push({ name: "start with 0 Pods", value: await subject.start(), unit: "ms" });
  const http = subject.open();
  figures.push(...(await rates(http, sizes.rated)));
  figures.push(...(await lists(http, subject, sizes.lists)));
  await fill(http, sizes.lists.at(-1) ?? 0, 0);
  for (const count of sizes.watchers) figures.push(await fanOut(subject, http, { count, writes: sizes.watched }));
  await http[Symbol.asyncDispose]();
  return [...figures, ...(await starts(subject, sizes.starts))];
}

/** From the command to readiness on a store with so many Pods. */
async function starts(subject: Subject, counts: readonly number[]): Promise<Figure[]> {
  if (subject.start === undefined || subject.stop === undefined) return [];
  const figures: Figure[] = [];
  let there = 0;
  for (const count of counts) {
    await using http = subject.open();
    await fill(http, there, count);
    there = count;
    await subject.stop();
    figures.push({ name: `start with ${shown(count)} Pods`, value: await subject.start(), unit: "ms" });
  }
  return figures;
}

/** Brings the number of Pods from one count to another. */
async function fill(http: HttpClient, from: number, to: number): Promise<void> {
  if (to > from) await rate(from, to, (i) => done(http, "POST", pods, podOf(i)));
  else await rate(to, from, (i) => done(http, "DELETE", `${pods}/bench-${i}?${now}`));
}

async function rates(http: HttpClient, count: number): Promise<Figure[]> {
  // The first writes warm the code of both sides.
  await fill(http, 0, 500);
  await fill(http, 500, 0);
  const create = await rate(0, count, (i) => done(http, "POST", pods, podOf(i)));
  const get = await rate(0, 2 * count, (i) => done(http, "GET", `${pods}/bench-${i % count}`));
  const update = await rate(0, count, (i) => done(http, "PUT", `${pods}/bench-${i}`, podOf(i, "second")));
  await fill(http, count, 0);
  return [
    { name: "create, 64 in flight", value: create, unit: "/s" },
    { name: "update, 64 in flight", value: update, unit: "/s" },
    { name: "get, 64 in flight", value: get, unit: "/s" },
  ];
}

async function lists(http: HttpClient, subject: Subject, counts: readonly number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  let there = 0;
  let memory = subject.memoryMiB?.();
  for (const count of counts) {
    await fill(http, there, count);
    if (memory !== undefined && subject.memoryMiB !== undefined && count - there >= 4000) {
      const grown = subject.memoryMiB() - memory;
      figures.push({ name: `memory for 10,000 Pods, up to ${shown(count)}`, value: (grown / (count - there)) * 10_000, unit: "MiB" });
    }
    there = count;
    figures.push({ name: `list of ${shown(count)}`, value: await bestMs(5, () => drain(http, pods)), unit: "ms" });
    memory = subject.memoryMiB?.();
  }
  return figures;
}

async function drain(http: HttpClient, path: string): Promise<void> {
  const response = await ask(http, "GET", path);
  for await (const _chunk of response.body);
}

async function bestMs(times: number, run: () => Promise<void>): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await run();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

/** Streams of one connection: servers allow a hundred, a few more at most. */
const streamsMax = 100;

interface FanOut {
  readonly count: number;
  readonly writes: number;
}

/** Events for each second over all watchers of a namespace, from the first write to the last event. */
async function fanOut(subject: Subject, http: HttpClient, spec: FanOut): Promise<Figure> {
  const { count, writes } = spec;
  await using connections = new AsyncDisposableStack();
  const stop = new AbortController();
  const opened: HttpClient[] = [];
  for (let i = 0; i < count; i += streamsMax) opened.push(connections.use(subject.open()));
  const finished = Array.from({ length: count }, async (_, i) => {
    const watcher = opened[Math.floor(i / streamsMax)] as HttpClient;
    const path = `${maps}?watch=1&resourceVersion=0&labelSelector=bench`;
    const response = await watcher.request({ method: "GET", path, signal: stop.signal });
    const { promise, resolve } = Promise.withResolvers<void>();
    void countEvents(response, writes, resolve);
    return { promise };
  });
  const watchers = await Promise.all(finished);
  const began = performance.now();
  await rate(0, writes, (i) => done(http, "POST", maps, mapOf(i)));
  await Promise.all(watchers.map(({ promise }) => promise));
  const seconds = (performance.now() - began) / 1000;
  stop.abort();
  await rate(0, writes, (i) => done(http, "DELETE", `${maps}/fan-${i}`));
  return { name: `events to ${shown(count)} watchers`, value: (writes * count) / seconds, unit: "/s" };
}

function mapOf(i: number): string {
  const metadata = { name: `fan-${i}`, labels: { bench: "yes" } };
  return JSON.stringify({ kind: "ConfigMap", apiVersion: "v1", metadata, data: { text: "x".repeat(500) } });
}

/** Calls `enough` when a watch has told so many events. */
async function countEvents(response: HttpResponse, wanted: number, enough: () => void): Promise<void> {
  let told = 0;
  try {
    for await (const chunk of response.body) {
      for (const byte of chunk) if (byte === 0x0a) told++;
      if (told >= wanted) enough();
    }
  } catch {
    // The end of the measurement breaks it off.
  }
}

function shown(count: number): string {
  return count.toLocaleString("en");
}

function print(all: readonly (readonly Figure[])[], names: readonly string[]): void {
  const [own = [], peer = []] = all;
  const row = (name: string, cells: readonly string[]): void =>
    void process.stdout.write(`${name.padEnd(44)}${cells.map((cell) => cell.padStart(24)).join("")}\n`);
  row("", names);
  for (const figure of own) {
    const theirs = peer.find(({ name }) => name === figure.name);
    const cells = [figure, ...(theirs === undefined ? [] : [theirs])].map(({ value, unit }) => `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`);
    row(figure.name, theirs === undefined ? cells : [...cells, `${betterBy(figure, theirs).toFixed(1)} times as good`]);
  }
}

function betterBy(own: Figure, theirs: Figure): number {
  return own.unit === "/s" ? own.value / theirs.value : theirs.value / own.value;
}

/** Measures ours, and the peer where there is one. */
export async function benchApiServer(isQuick: boolean): Promise<void> {
  const all: Figure[][] = [];
  const names: string[] = [];
  for (const open of subjects()) {
    await using subject = await open();
    names.push(subject.name);
    all.push(await measure(subject, isQuick ? quick : full));
  }
  print(all, names);
}

if (import.meta.main) await benchApiServer(process.argv.includes("--quick"));

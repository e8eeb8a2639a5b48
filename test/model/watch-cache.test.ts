/**
 * Lists and watches of several API servers, each on a replica of one store that falls behind,
 * against a model that keeps every state there ever was.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { isExpired } from "#apimachinery/status.ts";
import { ApiTable } from "#apiserver/api-table.ts";
import type { Call, CallOptions, Endpoint } from "#apiserver/call.ts";
import { get, list, type ListPage } from "#apiserver/rest/list.ts";
import { watch } from "#apiserver/rest/watch.ts";
import type { Random } from "#base/random.ts";
import { createVirtualClock, type VirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { initialEventsAnnotation } from "#client/transport.ts";
import { createMemoryStore } from "#store/memory.ts";
import { openReplica } from "#store/replica.ts";
import { laggyStore } from "#store/testing/laggy-store.ts";

const stepsPerRun = 150;
const bookmarkIntervalMs = 60_000;
const colors = ["red", "green", ""] as const;
const namespaces = ["one", "two"] as const;

/** `namespace/name` to its color. */
type State = ReadonlyMap<string, string>;

interface Change {
  readonly revision: number;
  readonly key: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What a list or a watch selects. */
interface Scope {
  readonly namespace: string;
  readonly color: string | undefined;
}

interface Watched {
  readonly scope: Scope;
  readonly from: number | undefined;
  readonly seen: string[];
  readonly bookmarks: number[];
  stream: Disposable | undefined;
  ended: unknown;
}

class Run {
  readonly random: Random;
  readonly clock: VirtualClock = createVirtualClock();
  readonly endpoints: Endpoint[] = [];
  readonly states = new Map<number, State>([[1, new Map<string, string>()]]);
  readonly changes: Change[] = [];
  readonly watches: Watched[] = [];
  /** That of an empty store. */
  revision = 1;
  /** Below this nothing is promised. */
  oldest = 1;

  constructor(seed: number) {
    this.random = createVirtualRandom(seed);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.random.below(values.length)] as T;
  }

  /** Every server is as good as another. */
  get endpoint(): Endpoint {
    return this.pick(this.endpoints);
  }

  get state(): State {
    return this.states.get(this.revision) ?? new Map<string, string>();
  }

  scope(): Scope {
    return { namespace: this.pick(["", ...namespaces]), color: this.pick([undefined, "red", "green"]) };
  }
}

function callOf(endpoint: Endpoint, namespace: string, options: CallOptions): Call {
  return {
    verb: "list",
    definition: endpoint.definition,
    namespace,
    name: "",
    subresource: "",
    options,
    user: { name: "model", uid: "", groups: [], extra: {} },
    userAgent: "model",
    features: { enabled: () => true } as Call["features"],
    allowPrivileged: false,
    nowMs: 0,
    signal: new AbortController().signal,
    warn: () => undefined,
  };
}

function selectorOf({ color }: Scope): CallOptions {
  return color === undefined ? {} : { labelSelector: `color=${color}` };
}

function matches({ namespace, color }: Scope, key: string, value: string | undefined): boolean {
  if (value === undefined || (namespace !== "" && !key.startsWith(`${namespace}/`))) return false;
  return color === undefined || value === color;
}

function shown(scope: Scope, state: State): string[] {
  return [...state].filter(([key, value]) => matches(scope, key, value)).map(([key, value]) => `${key}=${value}`).toSorted();
}

function textOf(object: ConfigMap): string {
  const { namespace, name, labels } = object.metadata ?? {};
  return `${namespace}/${name}=${labels?.["color"] ?? ""}`;
}

function textsOf(page: ListPage): string[] {
  return page.entries.map((entry) => textOf(entry.object as ConfigMap));
}

async function write(run: Run): Promise<void> {
  const { storage } = run.endpoint;
  const key = `${run.pick(namespaces)}/x${run.random.below(6)}`;
  const [namespace = "", name = ""] = key.split("/");
  const storeKey = storage.keyOf(namespace, name);
  const before = run.state.get(key);
  const color = run.pick(colors);
  const object: ConfigMap = { metadata: { namespace, name, ...(color !== "" && { labels: { color } }) } };
  const next = new Map(run.state);
  let revision: number;
  if (before === undefined) {
    revision = (await storage.create(storeKey, object, { dryRun: false })).revision;
    next.set(key, color);
  } else {
    const current = await storage.find(storeKey);
    assert.equal(current?.entry.object.metadata?.labels?.["color"] ?? "", before);
    assert.ok(current !== undefined);
    const removed = run.random.below(3) === 0;
    const decision = removed
      ? ({ do: "delete" } as const)
      : ({ do: "write", value: await storage.encode(object) } as const);
    const outcome = await storage.updateFrom(storeKey, current, { dryRun: false, decision });
    assert.ok(outcome !== undefined);
    ({ revision } = outcome.entry);
    if (removed) next.delete(key);
    else next.set(key, color);
  }
  run.changes.push({ revision, key, before, after: next.get(key) });
  run.revision = revision;
  run.states.set(revision, next);
}

/** The state at a revision between writes is that of the write before. */
function stateAt(run: Run, revision: number): State {
  const at = [...run.states.keys()].findLast((known) => known <= revision);
  return at === undefined ? new Map<string, string>() : (run.states.get(at) ?? new Map<string, string>());
}

async function readList(run: Run): Promise<void> {
  const { endpoint } = run;
  const scope = run.scope();
  const wanted = run.oldest + run.random.below(run.revision - run.oldest + 1);
  const versions: readonly CallOptions[] = [
    {},
    { resourceVersion: "0" },
    { resourceVersion: String(wanted), resourceVersionMatch: "NotOlderThan" },
    { resourceVersion: String(wanted), resourceVersionMatch: "Exact" },
  ];
  const kind = run.random.below(versions.length);
  const limit = run.pick([0, 0, 1, 3]);
  const options = { ...selectorOf(scope), ...(limit > 0 && { limit }) };
  const first = await list(endpoint, callOf(endpoint, scope.namespace, { ...options, ...versions[kind] }));
  if (kind === 0) assert.equal(first.revision, run.revision);
  if (kind === 2 && limit === 0) assert.ok(first.revision >= wanted);
  if (kind === 3) assert.equal(first.revision, wanted);
  const texts = textsOf(first);
  for (let page = first; page.continue !== "";) {
    // Another server may go on with the list, whatever was written meanwhile.
    if (run.random.below(3) === 0) await write(run);
    const next = run.endpoint;
    page = await list(next, callOf(next, scope.namespace, { ...options, continue: page.continue }));
    assert.equal(page.revision, first.revision);
    texts.push(...textsOf(page));
  }
  assert.deepEqual(texts, shown(scope, stateAt(run, first.revision)), `a list of kind ${kind} at ${first.revision}`);
}

async function readOne(run: Run): Promise<void> {
  const { endpoint } = run;
  const key = run.pick([...run.state.keys()]);
  if (key === undefined) return;
  const [namespace = "", name = ""] = key.split("/");
  const entry = await get(endpoint, { ...callOf(endpoint, namespace, {}), verb: "get", name });
  assert.equal(textOf(entry.object as ConfigMap), `${key}=${run.state.get(key)}`);
}

async function openWatch(run: Run): Promise<void> {
  const { endpoint, clock } = run;
  const scope = run.scope();
  const fromState = run.random.below(2) === 0;
  const from = run.oldest + run.random.below(run.revision - run.oldest + 1);
  const options: CallOptions = fromState
    ? { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: true }
    : { resourceVersion: String(from) };
  const watched: Watched = { scope, from: fromState ? undefined : from, seen: [], bookmarks: [], stream: undefined, ended: undefined };
  const call = { ...callOf(endpoint, scope.namespace, { ...selectorOf(scope), ...options }), verb: "watch" } as const;
  watched.stream = await watch(endpoint, call, {
    clock,
    receiver: {
      onMessage(message) {
        if (message.type !== "BOOKMARK") {
          watched.seen.push(`${message.type} ${textOf(message.entry.object as ConfigMap)} ${message.entry.revision}`);
        } else if (message.object.metadata?.annotations?.[initialEventsAnnotation] === "true") {
          watched.seen.push(`STATE ${message.object.metadata.resourceVersion}`);
        } else {
          watched.bookmarks.push(Number(message.object.metadata?.resourceVersion));
        }
      },
      onEnd: (error) => (watched.ended = error ?? "quietly"),
    },
  });
  run.watches.push(watched);
}

/** What a watch that begins after a revision has to show. */
function transitions(run: Run, scope: Scope, from: number): string[] {
  return run.changes.flatMap(({ revision, key, before, after }) => {
    if (revision <= from) return [];
    const was = matches(scope, key, before);
    const is = matches(scope, key, after);
    if (is) return [`${was ? "MODIFIED" : "ADDED"} ${key}=${after} ${revision}`];
    return was ? [`DELETED ${key}=${before} ${revision}`] : [];
  });
}

function checkWatch(run: Run, { scope, from, seen }: Watched): void {
  if (from !== undefined) return assert.deepEqual(seen, transitions(run, scope, from));
  const at = seen.findIndex((line) => line.startsWith("STATE"));
  const revision = Number(seen[at]?.split(" ")[1]);
  const initial = seen.slice(0, at).map((line) => line.split(" ")[1]);
  assert.deepEqual(initial, shown(scope, stateAt(run, revision)));
  assert.deepEqual(seen.slice(at + 1), transitions(run, scope, revision));
}

async function compact(run: Run): Promise<void> {
  const { store } = run.endpoint.storage;
  const revision = run.revision - run.random.below(10);
  if (revision <= run.oldest) return;
  // As another server's compactor does it, of which the others hear through the key.
  const value = Buffer.from(String(revision));
  const told = await store.txn({ compare: [], success: [{ op: "put", key: "compact_rev_key", value }] });
  run.states.set(told.revision, run.state);
  run.revision = told.revision;
  await store.compact(revision);
  run.oldest = revision;
  const below = run.endpoint;
  const options = { resourceVersion: String(revision - 1), resourceVersionMatch: "Exact" } as const;
  await below.storage.store.catchUp?.();
  await assert.rejects(list(below, callOf(below, "", options)), isExpired);
}

const steps = [write, write, write, write, readList, readList, readOne, openWatch];

async function runOne(seed: number): Promise<void> {
  const run = new Run(seed);
  const { clock } = run;
  await using remote = createMemoryStore({ clock });
  const lag = createVirtualRandom(1000 + seed);
  for (let server = 0; server < 3; server++) {
    const store = await openReplica({ remote: laggyStore(remote, lag), clock, prefix: "/registry/" });
    const table = new ApiTable(store, clock);
    table.add([configMaps as ResourceDefinition]);
    run.endpoints.push(table.of(configMaps as ResourceDefinition));
  }
  for (let step = 0; step < stepsPerRun; step++) {
    await (step % 50 === 49 ? compact : run.pick(steps))(run);
  }
  for (const { storage } of run.endpoints) await storage.store.catchUp?.();
  await clock.advance(bookmarkIntervalMs);
  for (const watched of run.watches) {
    // Compaction ends none: they are never so far behind.
    assert.equal(watched.ended, undefined);
    checkWatch(run, watched);
    // A client that goes on from a bookmark misses nothing, and nothing older is left to come.
    assert.deepEqual(watched.bookmarks, watched.from === undefined ? [run.revision] : []);
    watched.stream?.[Symbol.dispose]();
  }
  assert.ok(run.watches.length > 0 && run.changes.length > 0);
}

test("lists and watches of three servers agree with a naive model", async () => {
  for (let seed = 0; seed < 60; seed++) {
    await runOne(seed).catch((error: unknown) => {
      throw new Error(`SEED=${seed}`, { cause: error });
    });
  }
});

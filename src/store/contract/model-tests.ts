import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CompactedError,
  FutureRevisionError,
  type Compare,
  type KeyRange,
  type Op,
  type Revision,
} from "../store.ts";
import { bytes, Collector, type StoreTestContext, type StoreTests } from "../store-contract.ts";

/** A key's state in the model. */
interface Cell {
  readonly value: string;
  readonly create: Revision;
  readonly mod: Revision;
  readonly version: number;
}

type State = ReadonlyMap<string, Cell>;

/** Every state there ever was, whole: slow and plainly right. */
interface Model {
  readonly states: Map<Revision, State>;
  readonly events: Map<Revision, string[]>;
  readonly start: Revision;
  revision: Revision;
  compacted: Revision;
}

type Step =
  | {
      readonly do: "txn";
      readonly compare: readonly ModelCompare[];
      readonly ops: readonly ModelOp[];
    }
  | {
      readonly do: "range";
      readonly range: ModelRange;
      readonly back: number;
      readonly limit: number;
    }
  | { readonly do: "compact"; readonly back: number }
  | { readonly do: "watch"; readonly range: ModelRange; readonly back: number };

type ModelRange = readonly [from: string, to: string | undefined];
type ModelOp = { readonly put: string; readonly value: string } | { readonly remove: ModelRange };
interface ModelCompare {
  readonly key: string;
  readonly target: "modRevision" | "createRevision" | "version";
  readonly relation: "=" | "!=" | "<" | ">";
  /** Added to the true value. */
  readonly off: number;
}

const name = fc.constantFrom("a", "b", "b/1", "c", "d", "e");
const range: fc.Arbitrary<ModelRange> = fc.tuple(name, fc.option(name, { nil: undefined }));
const put = fc.record({ put: name, value: fc.nat(999).map(String) });
const remove = fc.record({ remove: range });
const compare: fc.Arbitrary<ModelCompare> = fc.record({
  key: name,
  target: fc.constantFrom("modRevision", "createRevision", "version"),
  relation: fc.constantFrom("=", "=", "=", "!=", "<", ">"),
  off: fc.constantFrom(0, 0, 0, 1, -1),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("txn" as const),
      compare: fc.array(compare, { maxLength: 2 }),
      ops: fc.uniqueArray(fc.oneof(put, put, remove), {
        maxLength: 4,
        selector: (op) => ("put" in op ? op.put : op.remove[0]),
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      range,
      back: fc.integer({ min: -1, max: 12 }),
      limit: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("compact" as const), back: fc.nat(8) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("watch" as const), range, back: fc.nat(8) }),
  },
);

/** Random histories against the model. */
export const modelTests: StoreTests = {
  async "random histories agree with a naive model"(t) {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        await runHistory({ ...t, prefix: `${t.prefix}${run++}/` }, steps);
      }),
      { numRuns: t.modelRuns },
    );
  },
};

async function runHistory(t: StoreTestContext, steps: readonly Step[]): Promise<void> {
  const { revision } = await t.put("\0", "start");
  const start: State = new Map([
    ["\0", { value: "start", create: revision, mod: revision, version: 1 }],
  ]);
  const model: Model = {
    states: new Map([[revision, start]]),
    events: new Map(),
    start: revision,
    revision,
    compacted: revision - 1,
  };
  const watches: { collector: Collector; range: ModelRange; from: Revision }[] = [];
  for (const each of steps) {
    if (each.do === "txn") await runTxn(t, model, each);
    else if (each.do === "range") await runRange(t, model, each);
    else if (each.do === "compact")
      await runCompact(t, model, each.back, Math.min(...watches.map(seenUpTo)));
    else {
      const from = Math.max(model.compacted + 1, model.revision + 1 - each.back);
      const query = { ...storeRange(t, each.range), startRevision: from, prevKv: true };
      watches.push({ collector: new Collector(t.store, query), range: each.range, from });
      await watches.at(-1)?.collector.until(() => upTo(watches.at(-1)!, model).reached);
    }
  }
  for (const watch of watches) {
    await watch.collector.until(() => upTo(watch, model).reached);
    const { expected } = upTo(watch, model);
    const shown = watch.collector.texts(t.prefix, 0).filter((line) => !line.endsWith(":"));
    assert.deepEqual(shown, expected);
    watch.collector[Symbol.dispose]();
  }
}

/** What a watch has to have seen by now, and whether it has seen as much. */
function upTo(
  watch: { collector: Collector; range: ModelRange; from: Revision },
  model: Model,
): { expected: string[]; reached: boolean } {
  const expected: string[] = [];
  for (const [revision, events] of model.events) {
    if (revision < watch.from) continue;
    const matching = events.filter((text) =>
      inRange(watch.range, /^\w+ ([^= ]+)/.exec(text)?.[1] ?? ""),
    );
    if (matching.length > 0) expected.push(`+${revision}: ${matching.join(", ")}`);
  }
  const seen = watch.collector.batches.filter((batch) => batch.events.length > 0);
  return { expected, reached: seen.length >= expected.length };
}

async function runTxn(
  t: StoreTestContext,
  model: Model,
  { compare: compares, ops }: { compare: readonly ModelCompare[]; ops: readonly ModelOp[] },
): Promise<void> {
  const state = currentState(model);
  const number = (c: ModelCompare): number => Math.max(0, trueValue(state, c) + c.off);
  const puts = new Set(ops.flatMap((op) => ("put" in op ? [op.put] : [])));
  const sound = ops.filter(
    (op) => "put" in op || ![...puts].some((key) => inRange(op.remove, key)),
  );
  const result = await t.store.txn({
    compare: compares.map((c): Compare => {
      return { key: t.prefix + c.key, target: c.target, relation: c.relation, number: number(c) };
    }),
    success: sound.map((op): Op => {
      if ("put" in op) return { op: "put", key: t.prefix + op.put, value: bytes(op.value) };
      return { op: "delete", ...storeRange(t, op.remove), prevKv: true };
    }),
  });
  const holds = compares.every((c) => related(trueValue(state, c), c.relation, number(c)));
  assert.equal(result.succeeded, holds);
  if (holds) applyOps(model, sound);
  assert.equal(result.revision, model.revision);
  assert.equal(result.results.length, holds ? sound.length : 0);
}

function applyOps(model: Model, ops: readonly ModelOp[]): void {
  const next = new Map(currentState(model));
  const events: string[] = [];
  const revision = model.revision + 1;
  for (const op of ops) {
    if ("put" in op) {
      const before = next.get(op.put);
      const { create, version } = before ?? { create: revision, version: 0 };
      next.set(op.put, { value: op.value, create, mod: revision, version: version + 1 });
      events.push(
        `put ${op.put}=${op.value}${before === undefined ? "" : ` (was ${before.value})`}`,
      );
      continue;
    }
    for (const [key, cell] of sorted(next)) {
      if (!inRange(op.remove, key)) continue;
      next.delete(key);
      events.push(`delete ${key} (was ${cell.value})`);
    }
  }
  if (events.length === 0) return;
  model.revision = revision;
  model.states.set(revision, next);
  model.events.set(revision, events);
}

async function runRange(
  t: StoreTestContext,
  model: Model,
  query: { range: ModelRange; back: number; limit: number },
): Promise<void> {
  const revision = query.back === 0 ? 0 : model.revision - query.back;
  if (revision !== 0 && revision < model.start) return;
  const asked = t.store.range({ ...storeRange(t, query.range), revision, limit: query.limit });
  if (revision > model.revision) return assert.rejects(asked, FutureRevisionError);
  if (revision !== 0 && revision < model.compacted) {
    return assert.rejects(asked, CompactedError);
  }
  const state = model.states.get(revision || model.revision) ?? assert.fail("no state");
  const matching = sorted(state).filter(([key]) => inRange(query.range, key));
  const expected = query.limit === 0 ? matching : matching.slice(0, query.limit);
  const result = await asked;
  const cells = result.entries.map((kv) => [
    kv.key.slice(t.prefix.length),
    {
      value: Buffer.from(kv.value).toString(),
      create: kv.createRevision,
      mod: kv.modRevision,
      version: kv.version,
    },
  ]);
  assert.deepEqual(cells, expected);
  assert.deepEqual(
    { count: result.count, more: result.more, revision: result.revision },
    { count: matching.length, more: matching.length > expected.length, revision: model.revision },
  );
}

/** A watch that has shown nothing may not have begun: what it is to show must stay. */
function seenUpTo(watch: { collector: Collector; from: Revision }): Revision {
  const seen = watch.collector.batches.findLast((batch) => batch.events.length > 0);
  return seen?.revision ?? watch.from - 1;
}

async function runCompact(
  t: StoreTestContext,
  model: Model,
  back: number,
  atMost: Revision,
): Promise<void> {
  const revision = Math.min(model.revision - back, atMost);
  if (revision <= model.compacted) return;
  await t.store.compact(revision);
  model.compacted = revision;
}

function storeRange(t: StoreTestContext, [from, to]: ModelRange): KeyRange {
  return to === undefined ? { key: t.prefix + from } : { key: t.prefix + from, end: t.prefix + to };
}

function inRange([from, to]: ModelRange, key: string): boolean {
  return to === undefined ? key === from : key >= from && key < to;
}

function currentState(model: Model): State {
  return model.states.get(model.revision) ?? assert.fail("no state");
}

function sorted(state: State): [string, Cell][] {
  return [...state].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function trueValue(state: State, { key, target }: ModelCompare): number {
  const cell = state.get(key);
  if (cell === undefined) return 0;
  return { modRevision: cell.mod, createRevision: cell.create, version: cell.version }[target];
}

function related(left: number, relation: ModelCompare["relation"], right: number): boolean {
  return { "=": left === right, "!=": left !== right, "<": left < right, ">": left > right }[
    relation
  ];
}

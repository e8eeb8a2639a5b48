/** Runs concurrent clients on a store that may be disrupted, and records what they saw. */
import type { Random } from "#base/random.ts";
import {
  CompactedError,
  StoreReadOnlyError,
  StoreUnavailableError,
  type Compare,
  type Op,
  type Store,
} from "#store/store.ts";
import type { HistoryOp, LogEntry } from "./linearizability.ts";

export interface Subject {
  /** Calls the store as it is now; rejects with `StoreUnavailableError` when it is lost. */
  use<T>(call: (store: Store) => Promise<T>): Promise<T>;
  /** Kills and revives; called again and again while the clients run. */
  disrupt?(): Promise<void>;
}

export interface RecordOptions {
  readonly clients: number;
  readonly opsPerClient: number;
  readonly keys: number;
  readonly random: Random;
  /** Disruptions to spread over the run. */
  readonly disruptions?: number;
}

export async function record(
  subject: Subject,
  options: RecordOptions,
): Promise<{ readonly ops: HistoryOp[]; readonly log: LogEntry[] }> {
  const { clients, opsPerClient, disruptions = 0 } = options;
  const ops: HistoryOp[] = [];
  const total = clients * opsPerClient;
  const thresholds = Array.from(
    { length: disruptions },
    (_, i) => ((i + 1) * total) / (disruptions + 1),
  );
  let disrupting: Promise<void> = Promise.resolve();
  let time = 0;
  const tick = (): number => ++time;

  const client = async (name: number): Promise<void> => {
    for (let i = 0; i < opsPerClient; i++) {
      ops.push(await perform(subject, draw(options, `${name}.${i}`), tick));
      if (ops.length >= (thresholds[0] ?? Number.POSITIVE_INFINITY)) {
        thresholds.shift();
        disrupting = disrupting.then(() => subject.disrupt?.());
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, name) => client(name)));
  await disrupting;
  return { ops, log: await watchLog(subject) };
}

interface Drawn {
  readonly kind: HistoryOp["kind"];
  readonly key: string;
  readonly value?: string;
  readonly conditional: boolean;
}

function draw({ keys, random }: RecordOptions, name: string): Drawn {
  const key = `k${random.below(keys)}`;
  const dice = random.below(10);
  if (dice < 4) return { kind: "read", key, conditional: false };
  if (dice < 5) return { kind: "delete", key, conditional: false };
  return { kind: "put", key, value: name, conditional: dice < 8 };
}

async function perform(subject: Subject, drawn: Drawn, tick: () => number): Promise<HistoryOp> {
  const { kind, key, value, conditional } = drawn;
  const base = { kind, key, ...(value === undefined ? {} : { value }) };
  let expectedRevision: number | undefined;
  if (conditional) expectedRevision = await revisionOf(subject, key);
  const begin = tick();
  const outcome = await outcomeOf(subject, drawn, expectedRevision);
  const condition = expectedRevision === undefined ? {} : { expectedRevision };
  return { ...base, ...condition, begin, end: tick(), outcome };
}

/** What a conditional write expects; 0 also when the store is away. */
async function revisionOf(subject: Subject, key: string): Promise<number> {
  try {
    const { entries } = await subject.use((store) => store.range({ key }));
    return entries[0]?.modRevision ?? 0;
  } catch (error) {
    if (error instanceof StoreUnavailableError) return 0;
    throw error;
  }
}

async function outcomeOf(
  subject: Subject,
  { kind, key, value }: Drawn,
  expectedRevision: number | undefined,
): Promise<HistoryOp["outcome"]> {
  try {
    if (kind === "read") {
      const { revision, entries } = await subject.use((store) => store.range({ key }));
      const text = entries[0] && Buffer.from(entries[0].value).toString();
      return { kind: "read", revision, value: text };
    }
    const op: Op =
      kind === "put" ? { op: "put", key, value: Buffer.from(value ?? "") } : { op: "delete", key };
    const compare: Compare[] =
      expectedRevision === undefined
        ? []
        : [{ key, target: "modRevision", relation: "=", number: expectedRevision }];
    const answer = await subject.use((store) => store.txn({ compare, success: [op] }));
    const [result] = answer.results;
    const nothing = result?.op === "delete" && result.deleted === 0;
    const written = answer.succeeded && !nothing;
    return { kind: written ? "written" : "unwritten", revision: answer.revision };
  } catch (error) {
    if (error instanceof StoreReadOnlyError) return { kind: "refused" };
    if (error instanceof StoreUnavailableError) return { kind: "unknown" };
    throw error;
  }
}

/** Everything that happened, from the first revision on. */
async function watchLog(subject: Subject): Promise<LogEntry[]> {
  const all = { key: "k", end: "l" };
  // A write of our own marks the end: when it is there, all before it is.
  const end = await surely(subject, (store) =>
    store.txn({ compare: [], success: [{ op: "put", key: "kend", value: Buffer.from("end") }] }),
  );
  return subject.use((store) => {
    const log: LogEntry[] = [];
    return new Promise((resolve, reject) => {
      const watch = store.watch(
        { ...all, startRevision: 1 },
        {
          onBatch({ revision, events }) {
            for (const { type, kv } of events) {
              const value = type === "put" ? Buffer.from(kv.value).toString() : undefined;
              if (kv.key !== "kend") log.push({ revision, key: kv.key, value });
            }
            if (revision < end.revision) return;
            watch[Symbol.dispose]();
            resolve(log);
          },
          onClosed: (error) =>
            reject(error instanceof CompactedError ? new Error("history was compacted") : error),
        },
      );
    });
  });
}

async function surely<T>(subject: Subject, call: (store: Store) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await subject.use(call);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }
}

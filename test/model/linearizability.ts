/**
 * Checks recorded histories of a store for strict serializability, in linear time.
 *
 * No search is needed: every answer carries a revision, so the watch log is the total order. What
 * remains to check is that answers agree with that order, and that the order agrees with time:
 *
 * 1. Each acknowledged write is in the log, at its revision, with its value; each is there once.
 * 2. Each entry of the log was asked for, by a write that was acknowledged or whose outcome is
 *    unknown; none by one that was refused.
 * 3. A read shows the log's state at the revision that it names.
 * 4. A conditional write succeeded just when its condition held in the log.
 * 5. An operation that began after another had returned has no lower revision; a write a higher.
 * 6. Nothing is seen before it was asked for.
 */

export interface HistoryOp {
  readonly kind: "put" | "delete" | "read";
  readonly key: string;
  /** What is put: unique in the history. */
  readonly value?: string;
  /** The write happens only if the key's revision is this; 0 for absent. */
  readonly expectedRevision?: number;
  /** Places in time: unique, growing numbers. */
  readonly begin: number;
  readonly end: number;
  readonly outcome:
    | { readonly kind: "written"; readonly revision: number }
    /** The condition did not hold, or there was nothing to delete, at this revision. */
    | { readonly kind: "unwritten"; readonly revision: number }
    | { readonly kind: "read"; readonly revision: number; readonly value: string | undefined }
    /** It certainly had no effect. */
    | { readonly kind: "refused" }
    | { readonly kind: "unknown" };
}

/** One entry of the watch log; `value` is undefined for a deletion. */
export interface LogEntry {
  readonly revision: number;
  readonly key: string;
  readonly value: string | undefined;
}

/** Everything that is wrong with a history; empty when it is linearizable. */
export function violations(ops: readonly HistoryOp[], log: readonly LogEntry[]): string[] {
  const problems: string[] = [];
  const report = (problem: string): void => void problems.push(problem);
  checkLog(log, report);
  const states = new LogStates(log);
  checkWrites(ops, states, report);
  checkReads(ops, states, report);
  checkOrigins(ops, log, report);
  checkTime(ops, log, report);
  return problems;
}

type Report = (problem: string) => void;

function checkLog(log: readonly LogEntry[], report: Report): void {
  for (const [i, entry] of log.entries()) {
    const before = log[i - 1];
    if (before !== undefined && before.revision >= entry.revision) {
      report(`log: revision ${entry.revision} follows ${before.revision}`);
    }
  }
}

/** The log by key, to look up what a key was at a revision. */
class LogStates {
  readonly #byKey = new Map<string, LogEntry[]>();
  readonly #byRevision = new Map<number, LogEntry>();

  constructor(log: readonly LogEntry[]) {
    for (const entry of log) {
      const entries = this.#byKey.get(entry.key);
      if (entries === undefined) this.#byKey.set(entry.key, [entry]);
      else entries.push(entry);
      this.#byRevision.set(entry.revision, entry);
    }
  }

  at(revision: number): LogEntry | undefined {
    return this.#byRevision.get(revision);
  }

  /** The newest entry of a key at or below a revision. */
  newest(key: string, revision: number): LogEntry | undefined {
    return this.#byKey.get(key)?.findLast((entry) => entry.revision <= revision);
  }

  /** The revision that a condition on the key compares with. */
  modRevision(key: string, revision: number): number {
    const entry = this.newest(key, revision);
    return entry === undefined || entry.value === undefined ? 0 : entry.revision;
  }
}

function checkWrites(ops: readonly HistoryOp[], states: LogStates, report: Report): void {
  for (const op of ops) {
    const { kind, key, value, expectedRevision, outcome } = op;
    if (kind === "read") continue;
    if (outcome.kind === "written") {
      const { revision } = outcome;
      const entry = states.at(revision);
      if (entry?.key !== key || entry.value !== value) {
        report(`${kind} ${key}=${value} was acknowledged at ${revision} but is not in the log`);
      }
      const actual = states.modRevision(key, revision - 1);
      if (expectedRevision !== undefined && actual !== expectedRevision) {
        report(`${kind} ${key} at ${revision} expected ${expectedRevision}, but it was ${actual}`);
      }
    } else if (outcome.kind === "unwritten") {
      const actual = states.modRevision(key, outcome.revision);
      const held = expectedRevision === undefined ? actual !== 0 : actual === expectedRevision;
      if (held) report(`${kind} ${key} was not done at ${outcome.revision}, though it had to be`);
    }
  }
}

function checkReads(ops: readonly HistoryOp[], states: LogStates, report: Report): void {
  for (const { key, outcome } of ops) {
    if (outcome.kind !== "read") continue;
    const expected = states.newest(key, outcome.revision)?.value;
    if (outcome.value !== expected) {
      report(`read of ${key} at ${outcome.revision} gave ${outcome.value}, not ${expected}`);
    }
  }
}

function checkOrigins(ops: readonly HistoryOp[], log: readonly LogEntry[], report: Report): void {
  const byValue = new Map<string, HistoryOp>();
  const deletesLeft = new Map<string, number>();
  for (const op of ops) {
    if (op.kind === "put" && op.value !== undefined) byValue.set(op.value, op);
    const possible = op.outcome.kind === "written" || op.outcome.kind === "unknown";
    if (op.kind === "delete" && possible) {
      deletesLeft.set(op.key, (deletesLeft.get(op.key) ?? 0) + 1);
    }
  }
  const seen = new Set<string>();
  for (const { revision, key, value } of log) {
    if (value === undefined) {
      const left = deletesLeft.get(key) ?? 0;
      if (left === 0) report(`log: nobody deleted ${key} at ${revision}`);
      deletesLeft.set(key, left - 1);
      continue;
    }
    const origin = byValue.get(value);
    if (origin === undefined || origin.key !== key)
      report(`log: phantom ${key}=${value} at ${revision}`);
    else if (origin.outcome.kind === "refused" || origin.outcome.kind === "unwritten") {
      report(`log: ${key}=${value} at ${revision} had been refused`);
    }
    if (seen.has(value)) report(`log: ${key}=${value} is there twice`);
    seen.add(value);
  }
}

function checkTime(ops: readonly HistoryOp[], log: readonly LogEntry[], report: Report): void {
  const moments = ops.flatMap((op) => [
    { at: op.begin, op, begins: true },
    { at: op.end, op, begins: false },
  ]);
  moments.sort((a, b) => a.at - b.at);
  const floors = new Map<HistoryOp, number>();
  let newestReturned = 0;
  for (const { op, begins } of moments) {
    if (begins) {
      floors.set(op, newestReturned);
      continue;
    }
    const { outcome } = op;
    if (outcome.kind === "refused" || outcome.kind === "unknown") continue;
    const floor = floors.get(op) ?? 0;
    const lowest = outcome.kind === "written" ? floor + 1 : floor;
    if (outcome.revision < lowest) {
      report(`${op.kind} ${op.key} answered ${outcome.revision} when ${floor} had been seen`);
    }
    newestReturned = Math.max(newestReturned, outcome.revision);
  }
  checkCauses(ops, log, report);
}

/** Who answers with a revision has seen all of the log up to it: that must have been asked for. */
function checkCauses(ops: readonly HistoryOp[], log: readonly LogEntry[], report: Report): void {
  const begins = new Map(
    ops.flatMap((op) => (op.value === undefined ? [] : [[op.value, op.begin]])),
  );
  let latest = 0;
  const latestUpTo = log.map(({ revision, value }) => {
    if (value !== undefined) latest = Math.max(latest, begins.get(value) ?? 0);
    return { revision, latest };
  });
  for (const op of ops) {
    if (!("revision" in op.outcome)) continue;
    const { revision } = op.outcome;
    const cause = latestUpTo[lastAtOrBelow(latestUpTo, revision)];
    if (cause !== undefined && cause.latest > op.end) {
      report(`${op.kind} ${op.key} answered ${revision} before it was asked for`);
    }
  }
}

function lastAtOrBelow(
  entries: readonly { readonly revision: number }[],
  revision: number,
): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.revision ?? 0) <= revision) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

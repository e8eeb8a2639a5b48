import type { KubeObject } from "#apimachinery/object.ts";
import { expired } from "#apimachinery/status.ts";
import { type ApiRequest, initialEventsAnnotation, type WatchEvent, type WatchSink } from "#client/transport.ts";
import { type Change, type FakeTables, selection, tableName } from "./fake-tables.ts";

interface Watcher {
  readonly request: ApiRequest;
  readonly sink: WatchSink<KubeObject>;
  readonly selected: (object: KubeObject) => boolean;
  open: boolean;
}

/** Every table, for `hold`. */
export const allTables = "*";

/** The watches of the fake API: history to begin from, and changes that may be held back. */
export class FakeWatches {
  readonly #history: Change[] = [];
  readonly #watchers = new Set<Watcher>();
  /** Tables whose events are held back, one for each hold. */
  readonly #holds: string[] = [];
  #held: Change[] = [];
  #compacted = 0;

  publish(change: Change): void {
    this.#history.push(change);
    if (this.#isHeld(change)) this.#held.push(change);
    else this.#tell(change);
  }

  /** Begins a moment later. `refuse`: an error is the answer. */
  watch(
    request: ApiRequest,
    sink: WatchSink<KubeObject>,
    server: { readonly tables: FakeTables; readonly refuse: (request: ApiRequest) => Error | undefined },
  ): Disposable {
    const watcher: Watcher = { request, sink, selected: selection(request), open: true };
    void Promise.resolve().then(() => {
      if (!watcher.open) return;
      const refused = server.refuse(request) ?? this.#lost(request);
      if (refused === undefined) return this.#begin(watcher, server.tables);
      watcher.open = false;
      sink.onClosed(refused);
    });
    return {
      [Symbol.dispose]: () => {
        watcher.open = false;
        this.#watchers.delete(watcher);
      },
    };
  }

  /** Until the result is disposed. */
  hold(table: string): Disposable {
    this.#holds.push(table);
    return {
      [Symbol.dispose]: () => {
        this.#holds.splice(this.#holds.indexOf(table), 1);
        const free = this.#held.filter((change) => !this.#isHeld(change));
        this.#held = this.#held.filter((change) => this.#isHeld(change));
        for (const change of free) this.#tell(change);
      },
    };
  }

  disconnect(error: Error | undefined): void {
    for (const watcher of [...this.#watchers]) {
      this.#watchers.delete(watcher);
      watcher.open = false;
      watcher.sink.onClosed(error);
    }
  }

  /** Forgets what came before `version`. */
  compact(version: number): void {
    this.#compacted = version;
    this.#history.length = 0;
  }

  #isHeld({ table }: Change): boolean {
    return this.#holds.includes(allTables) || this.#holds.includes(table);
  }

  #tell(change: Change): void {
    for (const watcher of [...this.#watchers]) deliver(watcher, change);
  }

  #lost(request: ApiRequest): Error | undefined {
    const from = startOf(request);
    if (from === 0 || from >= this.#compacted) return undefined;
    return expired(`too old resource version: ${from} (${this.#compacted})`);
  }

  #begin(watcher: Watcher, tables: FakeTables): void {
    const { request, sink } = watcher;
    const from = startOf(request);
    if (from > 0) {
      const missed = this.#history.filter((change) => change.version > from && !this.#held.includes(change));
      for (const change of missed) deliver(watcher, change);
    } else for (const object of tables.select(request)) sink.onEvent({ type: "ADDED", object });
    if (request.options.sendInitialEvents) sink.onEvent(endOfInitialEvents(tables.version));
    this.#watchers.add(watcher);
  }
}

/** 0: from the state of now. */
function startOf({ options }: ApiRequest): number {
  return Number(options.resourceVersion ?? "0");
}

/** An object that begins or ends to match comes or goes, for this watcher. */
function deliver({ open, request, selected, sink }: Watcher, change: Change): void {
  if (!open || tableName(request) !== change.table) return;
  const now = change.type !== "DELETED" && selected(change.object);
  const before = change.old !== undefined && selected(change.old);
  const type = now ? (before ? "MODIFIED" : "ADDED") : before ? "DELETED" : undefined;
  if (type) sink.onEvent({ type, object: change.object });
}

function endOfInitialEvents(version: number): WatchEvent<KubeObject> {
  const annotations = { [initialEventsAnnotation]: "true" };
  return {
    type: "BOOKMARK",
    object: { metadata: { resourceVersion: String(version), annotations } },
  };
}

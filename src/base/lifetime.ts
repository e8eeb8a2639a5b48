/**
 * Owns live things (timers, sockets, watches, loops) and ends them in reverse order.
 * Invariants: 1. `signal` aborts before the first cleanup runs. 2. Cleanups run once, last first.
 * 3. Adding to an ended lifetime runs the cleanup at once. 4. A child ends with its parent.
 * 5. A child that has ended leaves nothing in its parent.
 */
export class Lifetime implements AsyncDisposable {
  readonly name: string;
  readonly #controller = new AbortController();
  readonly #cleanups = new Set<() => void | PromiseLike<void>>();
  #ending: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get ended(): boolean {
    return this.#ending !== undefined;
  }

  defer(cleanup: () => void | PromiseLike<void>): void {
    if (this.#ending !== undefined) void cleanup();
    else this.#cleanups.add(cleanup);
  }

  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.defer(() =>
      Symbol.asyncDispose in resource
        ? resource[Symbol.asyncDispose]()
        : resource[Symbol.dispose](),
    );
    return resource;
  }

  child(name: string): Lifetime {
    const child = new Lifetime(`${this.name}/${name}`);
    const endChild = (): Promise<void> => child.end();
    child.defer(() => void this.#cleanups.delete(endChild));
    this.defer(endChild);
    return child;
  }

  /** Ends the lifetime; later calls wait for the first. Rejects with the first cleanup's error. */
  end(): Promise<void> {
    if (this.#ending !== undefined) return this.#ending;
    // Set first: whoever calls `end` while the first call runs must wait, not start over.
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#ending = promise;
    this.#end().then(resolve, reject);
    return promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #end(): Promise<void> {
    this.#controller.abort(new DOMException(`${this.name} ended`, "AbortError"));
    const failures: unknown[] = [];
    const cleanups = [...this.#cleanups].reverse();
    this.#cleanups.clear();
    for (const cleanup of cleanups) {
      try {
        await cleanup();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

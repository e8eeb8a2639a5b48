/**
 * Follows one resource on the server: the state once, then every change, for as long as its
 * lifetime lasts.
 *
 * Invariants: 1. `replace` comes first; `onEvent` only between two of them, in the server's order.
 * 2. `resourceVersion` never falls, save by a `replace` after the server lost its history.
 * 3. A stream that ends goes on where it was; a position that the server no longer has (410)
 * leads to a new `replace`. 4. Failures back off with jitter, from 0.8 s to 30 s, and start over
 * after 2 minutes without one. 5. Nothing polls: without changes and failures nothing is sent.
 */
import type { KubeObject } from "#apimachinery/object.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isExpired, isStatusError, reasonOf } from "#apimachinery/status.ts";
import { createBackoff } from "#base/backoff.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { InNamespace, ResourceClient } from "./client.ts";
import { newerResourceVersion } from "./resource-version.ts";
import { bookmarkEndsInitialEvents, type ListOptions, type WatchEvent } from "./transport.ts";

export type Selection = Pick<ListOptions, "labelSelector" | "fieldSelector"> & InNamespace;

export interface ReflectorSink<T> {
  /** The whole state at `resourceVersion`. */
  replace(items: readonly T[], resourceVersion: string): void;
  onEvent(event: WatchEvent<T> & { readonly type: "ADDED" | "MODIFIED" | "DELETED" }): void;
  /** The server says that everything up to here was delivered. */
  onProgress(resourceVersion: string): void;
}

export interface ReflectorOptions<T> {
  readonly client: ResourceClient<T>;
  readonly selection: Selection;
  readonly sink: ReflectorSink<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  /** Page size of lists; absent: one list, which the server answers from its cache. */
  readonly pageLimit?: number;
}

/** Upstream's: client-go tools/cache/reflector.go. */
const backoffOptions = { initialMs: 800, capMs: 30_000, factor: 2, jitter: 1 };

/** After so long without a failure the delays start over. */
const backoffResetMs = 120_000;

/** A watch that ends sooner without an event counts as a failure. */
const shortWatchMs = 1000;

export function startReflector<T extends KubeObject>(options: ReflectorOptions<T>): void {
  const { client, selection, sink, clock, lifetime } = options;
  const backoff = createBackoff(backoffOptions, options.random);
  let failedMs = -Infinity;
  let resourceVersion: string | undefined;
  let streaming = true;
  let stream: Disposable | undefined;
  let timer: Timer | undefined;

  lifetime.defer(() => {
    timer?.[Symbol.dispose]();
    stream?.[Symbol.dispose]();
  });
  connect();

  function connect(): void {
    if (lifetime.ended) return;
    if (resourceVersion !== undefined) follow(resourceVersion);
    else if (streaming) streamState();
    else void listState();
  }

  function retry(error: unknown): void {
    if (lifetime.ended) return;
    if (isExpired(error) || isTooLarge(error)) resourceVersion = undefined;
    const nowMs = clock.monotonicMs();
    if (nowMs - failedMs > backoffResetMs) backoff.reset();
    failedMs = nowMs;
    const delayMs = backoff.nextMs();
    options.log.debug("watch failed", { resource: client.target.plural, delayMs, error });
    timer = clock.after(delayMs, connect);
  }

  /** The state as a stream of ADDED events that a bookmark closes; changes follow on the same stream. */
  function streamState(): void {
    const state = new Map<string, T>();
    let whole = false;
    const query: ListOptions = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" };
    open(query, (event) => {
      if (whole) return deliver(event);
      if (event.type === "DELETED") state.delete(keyOfObject(event.object));
      else if (event.type !== "BOOKMARK") state.set(keyOfObject(event.object), event.object);
      else if (bookmarkEndsInitialEvents(event.object)) {
        whole = true;
        resourceVersion = event.object.metadata?.resourceVersion ?? "";
        sink.replace([...state.values()], resourceVersion);
        state.clear();
      }
    });
  }

  async function listState(): Promise<void> {
    try {
      const items: T[] = [];
      let token: string | undefined;
      let version = "";
      do {
        const page = await client.list({
          ...selection,
          ...(options.pageLimit !== undefined && { limit: options.pageLimit }),
          ...(token !== undefined && { continue: token }),
          signal: lifetime.signal,
        });
        for (const item of page.items) items.push(item);
        version = page.resourceVersion;
        token = page.continue;
      } while (token !== undefined && token !== "");
      if (lifetime.ended) return;
      resourceVersion = version;
      sink.replace(items, version);
      connect();
    } catch (error) {
      retry(error);
    }
  }

  function follow(from: string): void {
    open({ resourceVersion: from }, deliver);
  }

  function deliver(event: WatchEvent<T>): void {
    const version = event.object.metadata?.resourceVersion ?? "";
    resourceVersion = newerResourceVersion(resourceVersion ?? "", version);
    if (event.type === "BOOKMARK") sink.onProgress(version);
    else sink.onEvent(event);
  }

  function open(query: ListOptions, onEvent: (event: WatchEvent<T>) => void): void {
    const openedMs = clock.monotonicMs();
    let events = 0;
    stream = client.watch(
      { ...selection, ...query, allowWatchBookmarks: true },
      {
        onEvent(event) {
          events++;
          onEvent(event);
        },
        onClosed(error) {
          stream = undefined;
          if (resourceVersion === undefined && streaming && refusesStreaming(error)) {
            streaming = false;
            return connect();
          }
          const short = events === 0 && clock.monotonicMs() - openedMs < shortWatchMs;
          if (error === undefined && !short) connect();
          else retry(error ?? new Error("the watch ended at once"));
        },
      },
    );
    if (lifetime.ended) stream[Symbol.dispose]();
  }
}

/** An older server, or an aggregated one, that knows no `sendInitialEvents`. */
function refusesStreaming(error: Error | undefined): boolean {
  return ["Invalid", "BadRequest", "MethodNotAllowed"].includes(reasonOf(error) ?? "");
}

/** The server is behind the position we ask for, e.g. restored from a backup. */
function isTooLarge(error: unknown): boolean {
  if (!isStatusError(error)) return false;
  return (error.status.details?.causes ?? []).some(
    ({ reason }) => reason === "ResourceVersionTooLarge",
  );
}

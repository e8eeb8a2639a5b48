/**
 * Keeps a controller from acting on a cache that does not show its own writes yet: the answer to
 * overshooting (a ReplicaSet that creates its Pods twice), in place of counted expectations.
 *
 * Invariants: 1. A key that wrote is blocked until each informer of what it wrote shows the
 * resource version of the write, or for a deletion shows the object going or gone.
 * 2. In one process the cache is ahead of the answer, so nothing is ever blocked.
 * 3. After `staleMsMax` a key is let through whatever the cache shows (a write whose event never
 * comes must not stop the controller for ever).
 */
import { type KubeObject, keyOfObject } from "#apimachinery/object.ts";
import type { Clock } from "#base/clock.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { Informers } from "#client/informer-factory.ts";
import type { Informer } from "#client/informer.ts";
import { compareResourceVersions } from "#client/resource-version.ts";

/** Upstream's ExpectationsTimeout. */
export const staleMsMax = 300_000;

export interface Barrier {
  wrote(key: string, target: ResourceTarget, object: KubeObject): void;
  deleted(
    key: string,
    target: ResourceTarget,
    gone: { readonly key: string; readonly uid: string },
  ): void;
  /** True when the caches show all that `key` wrote. Otherwise calls `retry` once they may. */
  passes(key: string, retry: () => void): boolean;
  forget(key: string): void;
}

type Pending = {
  readonly informer: Informer<KubeObject>;
  readonly deadlineMs: number;
} & (
  | { readonly version: string }
  | { readonly gone: { readonly key: string; readonly uid: string } }
);

export function createBarrier(informers: Informers, clock: Clock): Barrier {
  const pending = new Map<string, Pending[]>();

  function add(key: string, entry: Pending): void {
    if (shows(entry)) return;
    const entries = pending.get(key);
    if (entries) entries.push(entry);
    else pending.set(key, [entry]);
  }

  function open(key: string): Pending | undefined {
    const nowMs = clock.monotonicMs();
    const left = (pending.get(key) ?? []).filter(
      (entry) => !shows(entry) && nowMs < entry.deadlineMs,
    );
    if (left.length > 0) pending.set(key, left);
    else pending.delete(key);
    return left[0];
  }

  return {
    wrote(key, target, object) {
      const informer = informers.find(target);
      const version = object.metadata?.resourceVersion ?? "";
      if (informer) add(key, { informer, version, deadlineMs: clock.monotonicMs() + staleMsMax });
    },
    deleted(key, target, gone) {
      const informer = informers.find(target);
      if (informer) add(key, { informer, gone, deadlineMs: clock.monotonicMs() + staleMsMax });
    },
    passes(key, retry) {
      const blocking = open(key);
      if (blocking === undefined) return true;
      whenShown(blocking, clock, retry);
      return false;
    },
    forget: (key) => void pending.delete(key),
  };
}

function shows(entry: Pending): boolean {
  if ("version" in entry) {
    return compareResourceVersions(entry.informer.resourceVersion, entry.version) >= 0;
  }
  const cached = entry.informer.lister.get(entry.gone.key)?.metadata;
  return cached?.uid !== entry.gone.uid || cached.deletionTimestamp !== undefined;
}

/** Calls once: when the cache has come far enough, or at the deadline. */
function whenShown(entry: Pending, clock: Clock, retry: () => void): void {
  const ends: Disposable[] = [];
  const finish = (): void => {
    for (const end of ends) end[Symbol.dispose]();
    retry();
  };
  ends.push(clock.after(entry.deadlineMs - clock.monotonicMs(), finish));
  if ("version" in entry) ends.push(entry.informer.whenReached(entry.version, finish));
  else {
    const check = (object: KubeObject): void => {
      if (keyOfObject(object) === entry.gone.key && shows(entry)) finish();
    };
    ends.push(entry.informer.subscribe({ onUpdate: check, onDelete: check }));
  }
}

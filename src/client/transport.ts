import type { KubeObject } from "#apimachinery/object.ts";

/**
 * The one door to an API server. `http-transport.ts` goes over the wire; the API server itself
 * implements it for components of its own process, without encoding anything.
 *
 * Guarantees, whoever implements it:
 * 1. Failures are `StatusError`; an aborted request rejects with the signal's reason.
 * 2. Objects that come out are shared and never change: copy before you change one. Objects that
 *    go in may share parts with those that came out (`{ ...pod, status }`), so the receiver copies
 *    before it changes anything; the caller no longer changes them either.
 * 3. A watch hands over events in the order of their resource versions, on the stack of whoever
 *    produced them (in one process) or of the socket; never before `watch` has returned.
 * 4. `onClosed` is the last call of a watch, comes exactly once unless the watch was disposed,
 *    and never before `watch` has returned. After disposal nothing comes.
 * 5. Objects carry `kind` and `apiVersion`, items of lists too.
 */
export interface Transport {
  /** Every verb but `list` and `watch`. Answers the object, or a `Status` (most deletes). */
  call(request: ApiRequest): Promise<KubeObject>;
  list(request: ApiRequest): Promise<ObjectList<KubeObject>>;
  watch(request: ApiRequest, sink: WatchSink<KubeObject>): Disposable;
  /** Anything that is no resource: discovery, `/version`, `/openapi/v3`, `/readyz`. */
  raw(request: RawRequest): Promise<unknown>;
}

export type RequestVerb =
  | "create"
  | "delete"
  | "deletecollection"
  | "get"
  | "list"
  | "patch"
  | "update"
  | "watch";

export interface ApiRequest {
  readonly verb: RequestVerb;
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  /** "" for cluster-scoped resources, and for all namespaces in a list or watch. */
  readonly namespace: string;
  /** "" where the verb names no object (create, list, watch, deletecollection). */
  readonly name: string;
  /** "" for the object itself. */
  readonly subresource: string;
  readonly options: RequestOptions;
  /** Object of a create or update, patch of a patch, DeleteOptions of a delete. */
  readonly body?: unknown;
  /** Set with verb `patch`. */
  readonly patchType?: PatchType;
  /** Who asks, instead of whom the transport stands for (impersonation over HTTP). */
  readonly user?: Identity;
  readonly userAgent?: string;
  readonly signal?: AbortSignal;
}

/** Query parameters, by their names on the wire; all optional. */
export interface RequestOptions extends ListOptions, WriteOptions {
  readonly force?: boolean;
  readonly watch?: boolean;
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
  readonly timeoutSeconds?: number;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
}

export type PatchType = "json" | "merge" | "strategic" | "apply";

export interface Identity {
  readonly name: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Token of the next page; absent at the end. */
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** `object` of a BOOKMARK has nothing but metadata: see `bookmarkEndsInitialEvents`. */
export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly object: KubeObject };

export interface WatchSink<T> {
  /** Must not throw and must not wait. */
  onEvent(event: WatchEvent<T>): void;
  /**
   * The stream is over. With a `StatusError` when the server sent an ERROR event or refused the
   * watch, with another error when the connection failed, without one when it ended in peace.
   */
  onClosed(error?: Error): void;
}

export interface RawRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
  /** With its query, e.g. `/apis?x=y`. */
  readonly path: string;
  readonly body?: unknown;
  readonly accept?: string;
  readonly user?: Identity;
  readonly userAgent?: string;
  readonly signal?: AbortSignal;
}

/** Annotation of the bookmark that follows the state when `sendInitialEvents` was asked for. */
export const initialEventsAnnotation = "k8s.io/initial-events-end";

export function bookmarkEndsInitialEvents(object: KubeObject): boolean {
  return object.metadata?.annotations?.[initialEventsAnnotation] === "true";
}

import { apiVersionOf, type KubeObject, keyOfObject, splitKey } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Status } from "#apimachinery/status.ts";
import type {
  ApiRequest,
  Identity,
  ListOptions,
  ObjectList,
  PatchType,
  RawRequest,
  RequestOptions,
  Transport,
  WatchSink,
  WriteOptions,
} from "./transport.ts";

/** The part of a definition that a client needs: what discovery also tells of unknown kinds. */
export type ResourceTarget = Pick<
  ResourceDefinition,
  "group" | "version" | "plural" | "kind" | "scope"
>;

/**
 * Typed access to an API server. Keys are `namespace/name`, or `name` for cluster-scoped objects
 * (`objectKey`), as in caches and queues. Every failure is a `StatusError`.
 */
export interface Client {
  resource<T extends KubeObject>(definition: ResourceDefinition<T>): ResourceClient<T>;
  /** For kinds known by discovery only. */
  dynamic(target: ResourceTarget): ResourceClient<KubeObject>;
  raw(request: RawRequest): Promise<unknown>;
  /** The same server, asked by someone else. */
  as(user: Identity, userAgent?: string): Client;
  readonly transport: Transport;
}

export interface ResourceClient<T> {
  readonly target: ResourceTarget;
  get(key: string, options?: GetOptions & Cancel): Promise<T>;
  list(options?: ListOptions & InNamespace & Cancel): Promise<ObjectList<T>>;
  /** Live until disposed, aborted or closed by the server; see `Transport` for the guarantees. */
  watch(options: ListOptions & InNamespace & Cancel, sink: WatchSink<T>): Disposable;
  create(object: T, options?: WriteOptions & Cancel): Promise<T>;
  update(object: T, options?: WriteOptions & Cancel): Promise<T>;
  updateStatus(object: T, options?: WriteOptions & Cancel): Promise<T>;
  patch(key: string, patch: Patch, options?: WriteOptions & Cancel): Promise<T>;
  /** Server-side apply. `force` takes over fields of other managers. */
  apply(object: T, options: ApplyOptions & Cancel): Promise<T>;
  /** The object when it stays for finalizers or grace (some kinds always), else a Status. */
  delete(key: string, options?: DeleteOptions & Cancel): Promise<T | Status>;
  deleteCollection(
    selection: ListOptions & InNamespace,
    options?: DeleteOptions & Cancel,
  ): Promise<void>;
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  createSubresource<R extends object>(
    call: SubresourceCall,
    options?: WriteOptions & Cancel,
  ): Promise<R>;
  getSubresource<R extends object>(call: SubresourceCall, options?: Cancel): Promise<R>;
  updateSubresource<R extends object>(
    call: SubresourceCall,
    options?: WriteOptions & Cancel,
  ): Promise<R>;
}

export interface SubresourceCall {
  readonly key: string;
  readonly name: string;
  readonly body?: object;
}

export interface Patch {
  readonly type: PatchType;
  /** A list of operations for `json`, else an object. */
  readonly body: object;
  readonly subresource?: string;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
  readonly subresource?: string;
}

export interface GetOptions {
  readonly resourceVersion?: string;
}

export interface InNamespace {
  /** Absent: all namespaces. */
  readonly namespace?: string;
}

export interface Cancel {
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Orphan" | "Background" | "Foreground";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export interface ClientOptions {
  readonly transport: Transport;
  /** Absent: whoever the transport's credentials stand for. */
  readonly user?: Identity;
  /** Its part before the first `/` is the default field manager. */
  readonly userAgent?: string;
}

export function createClient(options: ClientOptions): Client {
  const { transport } = options;
  const caller: Caller = {
    transport,
    ...(options.user && { user: options.user }),
    ...(options.userAgent !== undefined && { userAgent: options.userAgent }),
  };
  return {
    transport,
    resource: (definition) => createResourceClient(caller, definition),
    dynamic: (target) => createResourceClient<KubeObject>(caller, target),
    raw: (request) =>
      transport.raw({
        ...request,
        ...(caller.user && { user: caller.user }),
        ...(caller.userAgent !== undefined && { userAgent: caller.userAgent }),
      }),
    as: (user, userAgent = options.userAgent) =>
      createClient({ transport, user, ...(userAgent !== undefined && { userAgent }) }),
  };
}

interface Caller {
  readonly transport: Transport;
  readonly user?: Identity;
  readonly userAgent?: string;
}

type Shape = Pick<ApiRequest, "verb"> &
  Partial<Pick<ApiRequest, "subresource" | "body" | "patchType">> & {
    readonly key?: string;
    readonly namespace?: string | undefined;
    readonly options?: (RequestOptions & Cancel & InNamespace) | undefined;
  };

function createResourceClient<T extends KubeObject>(
  caller: Caller,
  target: ResourceTarget,
): ResourceClient<T> {
  const { transport } = caller;

  function requestOf(shape: Shape): ApiRequest {
    const { signal, namespace: within, ...query } = shape.options ?? {};
    const named = shape.key === undefined ? undefined : splitKey(shape.key);
    return {
      verb: shape.verb,
      group: target.group,
      version: target.version,
      resource: target.plural,
      namespace: named?.namespace ?? shape.namespace ?? within ?? "",
      name: named?.name ?? "",
      subresource: shape.subresource ?? "",
      options: query,
      ...(shape.body !== undefined && { body: shape.body }),
      ...(shape.patchType && { patchType: shape.patchType }),
      ...(caller.user && { user: caller.user }),
      ...(caller.userAgent !== undefined && { userAgent: caller.userAgent }),
      ...(signal && { signal }),
    };
  }

  /** The server answers the kind that was asked for: the one place where that is taken on trust. */
  async function call<R>(shape: Shape): Promise<R> {
    return (await transport.call(requestOf(shape))) as R;
  }

  function withType(object: T): T {
    if (object.kind !== undefined && object.apiVersion !== undefined) return object;
    const apiVersion = apiVersionOf(target.group, target.version);
    return { kind: target.kind, apiVersion, ...definedOf(object) };
  }

  return {
    target,
    get: (key, options) => call({ verb: "get", key, options }),
    list: async (options) =>
      (await transport.list(requestOf({ verb: "list", options }))) as ObjectList<T>,
    watch: (options, sink) =>
      transport.watch(
        requestOf({ verb: "watch", options: { ...options, watch: true } }),
        sink as WatchSink<KubeObject>,
      ),
    create: (object, options) =>
      call({
        verb: "create",
        namespace: object.metadata?.namespace,
        body: withType(object),
        options,
      }),
    update: (object, options) =>
      call({ verb: "update", key: keyOfObject(object), body: withType(object), options }),
    updateStatus: (object, options) =>
      call({
        verb: "update",
        key: keyOfObject(object),
        subresource: "status",
        body: withType(object),
        options,
      }),
    patch: (key, { type, body, subresource = "" }, options) =>
      call({ verb: "patch", key, subresource, patchType: type, body, options }),
    apply: (object, { subresource = "", ...options }) =>
      call({
        verb: "patch",
        key: keyOfObject(object),
        subresource,
        patchType: "apply",
        body: withType(object),
        options,
      }),
    delete: (key, { signal, ...options } = {}) =>
      call({ verb: "delete", key, body: deleteBody(options), options: signal ? { signal } : {} }),
    deleteCollection: async (selection, { signal, ...options } = {}) => {
      await call({
        verb: "deletecollection",
        body: deleteBody(options),
        options: signal ? { ...selection, signal } : selection,
      });
    },
    createSubresource: ({ key, name, body }, options) =>
      call({ verb: "create", key, subresource: name, body, options }),
    getSubresource: ({ key, name }, options) =>
      call({ verb: "get", key, subresource: name, options }),
    updateSubresource: ({ key, name, body }, options) =>
      call({ verb: "update", key, subresource: name, body, options }),
  };
}

/** A metav1.DeleteOptions. */
function deleteBody({ dryRun, ...options }: DeleteOptions): object {
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    ...options,
    ...(dryRun === true && { dryRun: ["All"] }),
  };
}

/** Without an undefined kind or apiVersion, which would hide those put before them. */
function definedOf<T extends KubeObject>(object: T): T {
  const { kind, apiVersion, ...rest } = object;
  return {
    ...(kind !== undefined && { kind }),
    ...(apiVersion !== undefined && { apiVersion }),
    ...rest,
  } as T;
}

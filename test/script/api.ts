import assert from "node:assert/strict";
import { otherKinds, resources } from "#api/registry.ts";
import { applyMergePatch } from "#apimachinery/merge-patch.ts";
import type { Status } from "#apimachinery/status.ts";
import type { HttpClient, HttpResponse } from "#base/http.ts";
import { decodeAnswer, type Encoding, type Event, type Thing } from "./encoding.ts";

/** A list as it came. */
export interface ThingList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly Thing[];
}

export type Query = Readonly<Record<string, string | number | boolean>>;

/** An answer that is no success. */
export class Refused extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message);
    this.status = status;
  }
}

export interface Asked {
  readonly body?: Uint8Array;
  readonly contentType?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** An API server, asked in one encoding. */
export interface Api {
  readonly encoding: Encoding;
  /** Whatever comes of it. */
  ask(
    method: string,
    path: string,
    asked?: Asked,
  ): Promise<{ readonly code: number; readonly headers: HttpResponse["headers"]; readonly body: unknown }>;
  /** The parsed answer. Errors: `Refused`. */
  get(path: string, accept?: string): Promise<Record<string, unknown>>;
  /** One kind in one namespace; `namespace` "" is everywhere, or a cluster-scoped kind. `kind` for what is not built in. */
  objects(apiVersion: string, plural: string, namespace: string, kind?: string): Objects;
  /** The same server, asked in another encoding. */
  in(encoding: Encoding): Api;
}

export type PatchKind = "merge" | "strategic" | "json" | "apply";

/** Errors of all: `Refused`. */
export interface Objects {
  create(object: object, query?: Query): Promise<Thing>;
  get(name: string, subresource?: string): Promise<Thing>;
  list(query?: Query): Promise<ThingList>;
  /** PUT of the object under its own name. */
  update(object: Thing, subresource?: string): Promise<Thing>;
  patch(name: string, patch: PatchSpec): Promise<Thing>;
  delete(name: string, options?: object): Promise<Thing>;
  deleteAll(query: Query): Promise<void>;
  /** POST to a subresource. */
  post(name: string, subresource: string, body: Thing): Promise<Thing>;
  /** Has begun once it is there: what is done afterwards comes through it. */
  watch(query?: Query): Promise<Watch>;
}

export interface PatchSpec {
  readonly type: PatchKind;
  readonly body: unknown;
  readonly subresource?: string;
  readonly query?: Query;
}

const patchTypes: Readonly<Record<PatchKind, string>> = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
};

export function createApi(http: HttpClient, encoding: Encoding): Api {
  const ask: Api["ask"] = async (method, path, asked = {}) => {
    const response = await http.request({
      method,
      path,
      headers: {
        accept: asked.accept ?? encoding.accept,
        ...(asked.body && { "content-type": asked.contentType ?? encoding.contentType }),
        ...asked.headers,
      },
      ...(asked.body && { body: asked.body }),
    });
    return { code: response.status, headers: response.headers, body: decodeAnswer(await response.readAll()) };
  };
  const succeed = async (method: string, path: string, asked?: Asked): Promise<unknown> => {
    const { code, body } = await ask(method, path, asked);
    if (code >= 400) throw new Refused(body as Status);
    return body;
  };
  return {
    encoding,
    ask,
    get: async (path, accept = "application/json") => (await succeed("GET", path, { accept })) as Record<string, unknown>,
    objects: (apiVersion, plural, namespace, kind = kindOf(apiVersion, plural)) => {
      const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const path = `${root}${namespace === "" ? "" : `/namespaces/${namespace}`}/${plural}`;
      return createObjects({ path, apiVersion, kind, encoding, succeed, http });
    },
    in: (other) => createApi(http, other),
  };
}

function kindOf(apiVersion: string, plural: string): string {
  const found = resources.find(
    (one) => one.plural === plural && (one.group === "" ? one.version : `${one.group}/${one.version}`) === apiVersion,
  );
  assert.ok(found, `${apiVersion} ${plural}`);
  return found.kind;
}

interface Parts {
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly encoding: Encoding;
  readonly succeed: (method: string, path: string, asked?: Asked) => Promise<unknown>;
  readonly http: HttpClient;
}

function createObjects({ path, apiVersion, kind, encoding, succeed, http }: Parts): Objects {
  const type = { apiVersion, kind };
  const below = (name: string, subresource?: string): string =>
    `${path}/${name}${subresource === undefined ? "" : `/${subresource}`}`;
  const encoded = (object: object): Asked => ({ body: encoding.encode({ ...type, ...object }, type) });
  const deletion = (options: object): Asked => ({
    body: encoding.encode({ kind: "DeleteOptions", apiVersion: "v1", ...options }, { apiVersion: "v1", kind: "DeleteOptions" }),
  });
  return {
    create: async (object, query) => (await succeed("POST", `${path}${queryOf(query)}`, encoded(object))) as Thing,
    get: async (name, subresource) => (await succeed("GET", below(name, subresource))) as Thing,
    list: async (query) => {
      const list = (await succeed("GET", `${path}${queryOf(query)}`)) as ThingList;
      return { ...list, items: list.items ?? [] };
    },
    update: async (object, subresource) =>
      (await succeed("PUT", below(object.metadata.name ?? "", subresource), encoded(object))) as Thing,
    patch: async (name, { type: patchType, body, subresource, query }) =>
      (await succeed("PATCH", `${below(name, subresource)}${queryOf(query)}`, {
        body: Buffer.from(JSON.stringify(body)),
        contentType: patchTypes[patchType],
      })) as Thing,
    delete: async (name, options = {}) => (await succeed("DELETE", below(name), deletion(options))) as Thing,
    deleteAll: async (query) => void (await succeed("DELETE", `${path}${queryOf(query)}`, deletion({}))),
    post: async (name, subresource, body) => {
      const other = otherKinds.find((one) => one.kind === body.kind);
      assert.ok(other, `${body.kind}`);
      const sent = encoding.encode(body, { apiVersion: body.apiVersion ?? "", kind: other.kind });
      return (await succeed("POST", below(name, subresource), { body: sent })) as Thing;
    },
    watch: (query) => openWatch(http, `${path}${queryOf({ watch: "true", ...query })}`, encoding),
  };
}

export function queryOf(query: Query = {}): string {
  const fields = Object.entries(query).map(([name, value]) => [name, String(value)] as const);
  const text = new URLSearchParams(Object.fromEntries(fields)).toString();
  return text === "" ? "" : `?${text}`;
}

/** A watch that has begun. */
export interface Watch extends Disposable {
  /** The next event. Errors: the watch is over. */
  next(): Promise<Event>;
  /** Events up to the first that fits, which is the last of them. */
  until(fits: (event: Event) => boolean): Promise<Event[]>;
  close(): void;
}

async function openWatch(http: HttpClient, path: string, encoding: Encoding): Promise<Watch> {
  const stop = new AbortController();
  const response = await http.request({ method: "GET", path, headers: { accept: encoding.acceptWatch }, signal: stop.signal });
  if (response.status >= 400) throw new Refused(decodeAnswer(await response.readAll()) as Status);
  const events = eventsOf(response, encoding);
  const next = async (): Promise<Event> => {
    const { done, value } = await events.next();
    if (done === true) throw new Error(`the watch ${path} is over`);
    return value;
  };
  return {
    next,
    async until(fits) {
      const seen: Event[] = [];
      for (;;) {
        const event = await next();
        seen.push(event);
        if (fits(event)) return seen;
      }
    },
    close: () => stop.abort(),
    [Symbol.dispose]: () => stop.abort(),
  };
}

async function* eventsOf(response: HttpResponse, encoding: Encoding): AsyncGenerator<Event, undefined> {
  const arrived: Event[] = [];
  const push = encoding.reader((event) => void arrived.push(event));
  for await (const chunk of response.body) {
    push(chunk);
    yield* arrived.splice(0);
  }
}

/** The object with what `patch` changes (RFC 7386). */
export function edited(object: Thing, patch: object): Thing {
  return applyMergePatch(object, patch as Record<string, unknown>) as unknown as Thing;
}

/** The value at a path of members and indexes. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value);
}

/** Checks that an answer is a refusal with this code; the message is its Status's. */
export async function refused(answer: Promise<unknown>, code: number): Promise<Status> {
  const outcome = await answer.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Refused, `refused with ${code}, was ${outcome === undefined ? "done" : String(outcome)}`);
  assert.equal(outcome.status.code, code, outcome.message);
  return outcome.status;
}

export function namesOf({ items }: ThingList): string[] {
  return items.map(({ metadata }) => metadata.name ?? "");
}

import { deepEqual } from "#apimachinery/deep-equal.ts";
import { type KubeObject, keyOfObject } from "#apimachinery/object.ts";
import { parseLabelSelector } from "#apimachinery/selectors.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { ApiRequest } from "#client/transport.ts";

export type Stored = KubeObject & { readonly spec?: object; readonly status?: object };

export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly table: string;
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
  readonly version: number;
}

/** Objects by resource and key; each change has a version of its own. */
export class FakeTables {
  readonly #tables = new Map<string, Map<string, Stored>>();
  readonly #publish: (change: Change) => void;
  #version = 1;

  constructor(publish: (change: Change) => void) {
    this.#publish = publish;
  }

  get version(): number {
    return this.#version;
  }

  /** Leaves a version out. */
  skipVersion(): number {
    return ++this.#version;
  }

  get(table: string, key: string): Stored | undefined {
    return this.#of(table).get(key);
  }

  list(table: string): Stored[] {
    return [...this.#of(table).values()];
  }

  /** What a list would give. */
  select(request: ApiRequest): Stored[] {
    return this.list(tableName(request)).filter(selection(request));
  }

  /** Writes unless nothing changes. */
  commit(table: string, next: Stored): Stored {
    const key = keyOfObject(next);
    const old = this.get(table, key);
    if (old && deepEqual(old, next)) return old;
    const object = this.#stamped(next);
    this.#of(table).set(key, object);
    this.#publish({ type: old ? "MODIFIED" : "ADDED", table, object, old, version: this.#version });
    return object;
  }

  erase(table: string, old: Stored): KubeObject {
    this.#of(table).delete(keyOfObject(old));
    const object = this.#stamped(old);
    this.#publish({ type: "DELETED", table, object, old, version: this.#version });
    return object;
  }

  #of(table: string): Map<string, Stored> {
    const found = this.#tables.get(table) ?? new Map<string, Stored>();
    this.#tables.set(table, found);
    return found;
  }

  #stamped(object: Stored): Stored {
    const resourceVersion = String(++this.#version);
    return frozen({ ...object, metadata: { ...object.metadata, resourceVersion } });
  }
}

export function tableName({ group, resource }: Pick<ApiRequest, "group" | "resource">): string {
  return `${group}/${resource}`;
}

export function tableOfTarget({ group, plural }: ResourceTarget): string {
  return tableName({ group, resource: plural });
}

/** Whether an object is in the namespace and matches the selectors that a request names. */
export function selection(request: ApiRequest): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(request.options.labelSelector ?? "");
  const fields = (request.options.fieldSelector ?? "").split(",").filter((term) => term !== "");
  return (object) =>
    (request.namespace === "" || object.metadata?.namespace === request.namespace) &&
    labels.matches(object.metadata?.labels) &&
    fields.every((term) => matchesField(object, term));
}

function matchesField(object: KubeObject, term: string): boolean {
  const [path = "", wanted = ""] = term.split(/!?==?/);
  return (fieldAt(object, path) === wanted) !== term.includes("!=");
}

function fieldAt(object: unknown, path: string): string {
  let at: unknown = object;
  for (const step of path.split(".")) {
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[step] : undefined;
  }
  return at === undefined ? "" : String(at);
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

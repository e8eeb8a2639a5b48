import { exactField, parseFieldSelector } from "#apimachinery/field-selectors.ts";
import type { RequestInfo } from "../http/request-info.ts";

/** Kinds whose watches are found by a field: those of one node's Pods see few events. */
const indexedFields: ReadonlyMap<string, string> = new Map([["pods", "spec.nodeName"]]);

/**
 * Counts open watches by what they are of, to guess how many a write will wake.
 * Source: flowcontrol/watch_tracker.go.
 */
export class WatchTracker {
  readonly #counts = new Map<string, number>();

  /** Counts a watch until the result is called. */
  register({ group, resource, namespace, name }: RequestInfo, query: URLSearchParams): () => void {
    const field = indexedFields.get(resource);
    if (field !== undefined && selectsOne(query, field)) return () => {};
    const key = keyOf(group, resource, namespace, name);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#counts.get(key) ?? 1) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }

  /** Watches that may see what the request changes. */
  interestedIn({ group, resource, namespace, name }: RequestInfo): number {
    if (this.#counts.size === 0) return 0;
    let count = this.#counts.get(keyOf(group, resource, "", "")) ?? 0;
    if (namespace !== "") count += this.#counts.get(keyOf(group, resource, namespace, "")) ?? 0;
    if (name !== "") count += this.#counts.get(keyOf(group, resource, namespace, name)) ?? 0;
    return count;
  }
}

function keyOf(group: string, resource: string, namespace: string, name: string): string {
  return `${group}/${resource}/${namespace}/${name}`;
}

function selectsOne(query: URLSearchParams, field: string): boolean {
  try {
    const value = exactField(parseFieldSelector(query.get("fieldSelector") ?? ""), field);
    return value !== undefined && value !== "";
  } catch {
    return false;
  }
}

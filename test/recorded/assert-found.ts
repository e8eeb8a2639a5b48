import assert from "node:assert/strict";
import { isJsonMap } from "#apimachinery/json-value.ts";

/** Without what the server sets, turns into something else or drops. */
export function clientFields(object: Record<string, unknown>): object {
  const {
    apiVersion: _,
    kind: _k,
    status: _s,
    stringData: _d,
    foo: _f,
    metadata,
    ...rest
  } = object;
  if (!isJsonMap(metadata)) return rest;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  return { ...rest, metadata: { labels, annotations, finalizers, ownerReferences } };
}

/**
 * Asserts that all of `wanted` is in `found`, which may hold more: answers of a server have been
 * decoded and defaulted. Lists must be whole and in order; nulls want nothing.
 */
export function assertFound(wanted: unknown, found: unknown, what: string): void {
  if (wanted === null || wanted === undefined) return;
  if (Array.isArray(wanted)) {
    const items = Array.isArray(found) ? found : [];
    assert.equal(items.length, wanted.length, `${what}: ${JSON.stringify([wanted, found])}`);
    for (const [index, item] of wanted.entries()) assertFound(item, items[index], what);
  } else if (isJsonMap(wanted)) {
    for (const [key, member] of Object.entries(wanted)) {
      const own = isJsonMap(found) ? found[key] : undefined;
      assertFound(member, own, `${what} .${key}`);
    }
  } else assert.equal(found, wanted, what);
}

import { unreachable } from "#base/assert.ts";
import type { Compare, KeyValue } from "./store.ts";

/** False for the mark that a deletion leaves. */
export function isLive(kv: KeyValue): boolean {
  return kv.version !== 0;
}

/** Whether the condition holds for the newest version of its key. */
export function compareHolds(
  compare: Compare,
  head: { readonly kv: KeyValue } | undefined,
): boolean {
  const kv = head !== undefined && isLive(head.kv) ? head.kv : undefined;
  switch (compare.target) {
    case "modRevision":
      return related(kv?.modRevision ?? 0, compare.relation, compare.number);
    case "createRevision":
      return related(kv?.createRevision ?? 0, compare.relation, compare.number);
    case "version":
      return related(kv?.version ?? 0, compare.relation, compare.number);
    case "lease":
      return related(kv?.lease ?? 0n, compare.relation, compare.lease);
    case "value":
      if (kv === undefined) return false;
      return related(Buffer.compare(kv.value, compare.value), compare.relation, 0);
    default:
      return unreachable(compare);
  }
}

function related<T extends number | bigint>(
  left: T,
  relation: Compare["relation"],
  right: T,
): boolean {
  switch (relation) {
    case "=":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case ">":
      return left > right;
    default:
      return unreachable(relation);
  }
}

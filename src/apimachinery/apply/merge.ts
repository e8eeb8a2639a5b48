import { isJsonMap, type JsonMap } from "../json-value.ts";
import { getOwn, setOwn } from "../maps.ts";
import type { ApplyList, ApplyMap, ApplyNode } from "./apply-schema.ts";
import { type ItemKey, itemKeyAt, memberNode, shapeOf } from "./typed-value.ts";

/**
 * Merges an applied configuration into an object: whatever it mentions is taken from it, nothing
 * is removed. Lists keep the live order when the configuration changes nothing in it, and follow
 * the configuration's otherwise. Both are JSON values valid for `node`; undefined is absent.
 * Source: sigs.k8s.io/structured-merge-diff typed/merge.go.
 */
export function mergeValues(node: ApplyNode, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined || live === config) return config;
  const shape = shapeOf(node, config);
  if (shape === "map" && node.map !== undefined) return mergeMaps(node.map, live, config);
  if (shape === "list" && node.list !== undefined) return mergeLists(node.list, live, config);
  return config;
}

function mergeMaps(map: ApplyMap, live: unknown, config: unknown): unknown {
  const left = isJsonMap(live) ? live : {};
  const right = isJsonMap(config) ? config : {};
  const empty = Object.keys(left).length === 0 && Object.keys(right).length === 0;
  if (map.atomic || empty) return config;
  const merged: JsonMap = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const node = memberNode(map, key);
    if (node !== undefined) setOwn(merged, key, mergeValues(node, getOwn(left, key), value));
  }
  return merged;
}

function mergeLists(list: ApplyList, live: unknown, config: unknown): unknown {
  const left = Array.isArray(live) ? live : [];
  const right = Array.isArray(config) ? config : [];
  if (list.atomic || (left.length === 0 && right.length === 0)) return config;
  return mergeItems(list, left, right);
}

/** Items of one side, in order, and by identity. */
interface Side {
  readonly keys: readonly ItemKey[];
  readonly items: ReadonlyMap<unknown, unknown>;
}

function readSide(list: ApplyList, items: readonly unknown[]): Side {
  const keys = items.map((_, index) => itemKeyAt(list, items, index));
  const byIdentity = new Map<unknown, unknown>();
  for (const [index, { identity }] of keys.entries()) {
    // Items that are there twice do not take part in the merge.
    byIdentity.set(identity, byIdentity.has(identity) ? undefined : items[index]);
  }
  return { keys, items: byIdentity };
}

/**
 * Walks both lists at once. Items of the live list alone stay before the item they preceded; an
 * item in both waits until the configuration gets to it.
 */
function mergeItems(
  list: ApplyList,
  live: readonly unknown[],
  config: readonly unknown[],
): unknown[] {
  const left = readSide(list, live);
  const right = readSide(list, config);
  const shared = right.keys.map(({ identity }) => identity).filter((key) => left.items.has(key));
  const merged = new Set<unknown>();
  const out: unknown[] = [];
  const take = (identity: unknown) => {
    merged.add(identity);
    out.push(mergeValues(list.items, left.items.get(identity), right.items.get(identity)));
    if (shared[0] === identity) shared.shift();
  };
  let l = 0;
  let r = 0;
  while (l < live.length || r < config.length) {
    const mine = left.keys[l]?.identity;
    const theirs = right.keys[r]?.identity;
    const inBoth = l < live.length && right.items.has(mine);
    if (l < live.length && r < config.length) {
      if (mine === theirs) {
        take(mine);
        l++;
        r++;
        continue;
      }
      if (inBoth && shared.length > 0 && shared[0] !== mine) {
        l++;
        continue;
      }
    }
    if (l < live.length && !inBoth) {
      out.push(live[l]);
      l++;
      continue;
    }
    if (l < live.length && merged.has(mine)) l++;
    if (r < config.length) {
      take(theirs);
      r++;
    }
  }
  return out;
}

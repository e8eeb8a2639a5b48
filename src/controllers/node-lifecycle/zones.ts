/**
 * How fast nodes may be declared lost. When most of a zone is silent at once, it is more likely
 * that we are cut off than that all those nodes died. Source: node_lifecycle_controller.go zones.
 */
import type { Node } from "#api/core/v1/node.ts";
import { readyStatusOf } from "./taints.ts";

export type ZoneState = "normal" | "partial" | "full";

const evictionsPerSecond = 0.1;
const evictionsPerSecondSlow = 0.01;
/** Smaller zones stop altogether when they are partly down. */
const largeZoneNodes = 50;
const unhealthyShare = 0.55;

export function zoneOf({ metadata }: Node): string {
  const { labels = {} } = metadata;
  const region =
    labels["topology.kubernetes.io/region"] ??
    labels["failure-domain.beta.kubernetes.io/region"] ??
    "";
  const zone =
    labels["topology.kubernetes.io/zone"] ?? labels["failure-domain.beta.kubernetes.io/zone"] ?? "";
  return region === "" && zone === "" ? "" : `${region}:\0:${zone}`;
}

export function stateOfZone(nodes: readonly Node[]): ZoneState {
  const down = nodes.filter((node) => readyStatusOf(node) !== "True").length;
  if (down > 0 && down === nodes.length) return "full";
  return down > 2 && down / nodes.length >= unhealthyShare ? "partial" : "normal";
}

/** Nodes per second that may be tainted in `zone`; 0 stops it. */
export function evictionRate(zone: string, nodes: readonly Node[]): number {
  const zones = Map.groupBy(nodes, zoneOf);
  const states = new Map([...zones].map(([name, members]) => [name, stateOfZone(members)]));
  if ([...states.values()].every((state) => state === "full")) return 0;
  if (states.get(zone) !== "partial") return evictionsPerSecond;
  return (zones.get(zone)?.length ?? 0) > largeZoneNodes ? evictionsPerSecondSlow : 0;
}

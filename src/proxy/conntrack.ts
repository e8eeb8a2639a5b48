import type { ServicePortView } from "./service-ports.ts";

/**
 * Arguments of the `conntrack` calls that end UDP flows which would go on to where no endpoint is
 * any more: those of endpoints that went, and those that hit a Service while it had none.
 * Source: pkg/proxy/conntrack/cleanup.go.
 */
export function staleFlows(
  before: readonly ServicePortView[],
  after: readonly ServicePortView[],
): string[][] {
  const now = new Map(after.map((port) => [port.id, port]));
  const calls: string[][] = [];
  for (const old of before) {
    if (old.protocol !== "udp") continue;
    const current = now.get(old.id);
    const kept = new Set(current?.endpoints.map(({ address }) => address) ?? []);
    for (const { address } of old.endpoints) {
      if (kept.has(address)) continue;
      for (const service of old.clusterAddresses) {
        calls.push(["-D", "-p", "udp", "--orig-dst", service, "--dst-nat", address]);
      }
      if (old.nodePort > 0) {
        calls.push(["-D", "-p", "udp", "--dport", String(old.nodePort), "--dst-nat", address]);
      }
    }
    const recovered = old.endpoints.length === 0 && (current?.endpoints.length ?? 0) > 0;
    if (!recovered) continue;
    for (const service of old.clusterAddresses) calls.push(["-D", "-p", "udp", "--orig-dst", service]);
    if (old.nodePort > 0) calls.push(["-D", "-p", "udp", "--dport", String(old.nodePort)]);
  }
  return calls;
}

import { createHash } from "node:crypto";
import { compareBytes } from "#apimachinery/maps.ts";
import type { EndpointView, ServicePortView } from "./service-ports.ts";

/**
 * The nftables table of a node, compiled from Services. Pure: the same views give the same ruleset,
 * and two rulesets give the least transaction that leads from one to the other.
 *
 * How a packet goes: `services` looks its destination up in `service-ips` or, for the node's own
 * addresses, `service-nodeports`; the map jumps to a chain of the Service port, which picks an
 * endpoint at random (or by affinity) and translates. What must be masqueraded is marked on the way.
 */
export interface Ruleset {
  /** Chain -> rules, in nft's words. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Set or map -> elements, in nft's words: key -> `key` or `key : verdict`. */
  readonly elements: ReadonlyMap<SetName, ReadonlyMap<string, string>>;
  /** Affinity sets: name -> timeout in seconds. */
  readonly affinitySets: ReadonlyMap<string, number>;
}

export type SetName =
  | "cluster-ips"
  | "service-ips"
  | "service-nodeports"
  | "no-endpoint-services"
  | "no-endpoint-nodeports";

export const tableName = "kubets-proxy";
const masqueradeMark = "0x4000";

export interface RulesetOptions {
  /** The range of all pods: their traffic keeps its source address. */
  readonly clusterCidr: string;
  readonly serviceCidr: string;
}

export function compileRuleset(ports: readonly ServicePortView[], options: RulesetOptions): Ruleset {
  const build = new Builder(options);
  for (const port of ports.toSorted((a, b) => compareBytes(a.id, b.id))) build.addPort(port);
  return build.ruleset();
}

class Builder {
  readonly #options: RulesetOptions;
  readonly #chains = new Map<string, readonly string[]>();
  readonly #affinitySets = new Map<string, number>();
  readonly #elements = new Map<SetName, Map<string, string>>(
    (["cluster-ips", "service-ips", "service-nodeports", "no-endpoint-services", "no-endpoint-nodeports"] as const).map(
      (name) => [name, new Map()],
    ),
  );

  constructor(options: RulesetOptions) {
    this.#options = options;
  }

  ruleset(): Ruleset {
    return { chains: this.#chains, elements: this.#elements, affinitySets: this.#affinitySets };
  }

  addPort(port: ServicePortView): void {
    const service = chainName("service", port.id);
    const external = chainName("external", port.id);
    const hasExternal = port.nodePort > 0 || port.externalAddresses.length + port.loadBalancerAddresses.length > 0;
    const externalEndpoints = port.externalLocal ? port.localEndpoints : port.endpoints;
    for (const address of port.clusterAddresses) {
      this.#put("cluster-ips", address, address);
      this.#route(port, address, port.endpoints.length > 0 ? service : undefined);
    }
    const useExternal = externalEndpoints.length > 0 || (port.externalLocal && port.endpoints.length > 0);
    for (const address of [...port.externalAddresses, ...port.loadBalancerAddresses]) {
      this.#route(port, address, useExternal ? external : undefined);
    }
    if (port.nodePort > 0) {
      const key = `${port.protocol} . ${port.nodePort}`;
      if (useExternal) this.#put("service-nodeports", key, `${key} : goto ${external}`);
      else this.#put("no-endpoint-nodeports", key, `${key} : goto reject-chain`);
    }
    if (port.endpoints.length > 0) this.#addServiceChain(service, port, port.endpoints);
    if (hasExternal && useExternal) this.#addExternalChain(external, port, service);
  }

  #route(port: ServicePortView, address: string, chain: string | undefined): void {
    const key = `${address} . ${port.protocol} . ${port.port}`;
    if (chain !== undefined) this.#put("service-ips", key, `${key} : goto ${chain}`);
    else this.#put("no-endpoint-services", key, `${key} : goto reject-chain`);
  }

  #put(set: SetName, key: string, element: string): void {
    this.#elements.get(set)?.set(key, element);
  }

  #addServiceChain(chain: string, port: ServicePortView, endpoints: readonly EndpointView[]): void {
    this.#chains.set(chain, this.#balance(port, endpoints));
  }

  #addExternalChain(chain: string, port: ServicePortView, service: string): void {
    if (!port.externalLocal) {
      this.#chains.set(chain, ["jump mark-for-masquerade", `goto ${service}`]);
      return;
    }
    const rules: string[] = [];
    if (port.endpoints.length > 0) {
      rules.push(`ip saddr ${this.#options.clusterCidr} goto ${service}`);
      rules.push("fib saddr type local jump mark-for-masquerade", `fib saddr type local goto ${service}`);
    }
    if (port.localEndpoints.length > 0) rules.push(...this.#balance(port, port.localEndpoints));
    else rules.push("drop");
    this.#chains.set(chain, rules);
  }

  /** Rules that send a connection to one of the endpoints. */
  #balance(port: ServicePortView, endpoints: readonly EndpointView[]): string[] {
    const chains = endpoints.map((endpoint) => this.#endpointChain(port, endpoint));
    const rules =
      port.affinitySeconds > 0 ? chains.map((chain) => `ip saddr @${affinitySet(chain)} goto ${chain}`) : [];
    const choices = chains.map((chain, i) => `${i} : goto ${chain}`).join(" , ");
    rules.push(`numgen random mod ${chains.length} vmap { ${choices} }`);
    return rules;
  }

  #endpointChain(port: ServicePortView, { address, port: target }: EndpointView): string {
    const chain = chainName("endpoint", `${port.id}/${address}/${target}`);
    const rules = [`ip saddr ${address} jump mark-for-masquerade`];
    if (port.affinitySeconds > 0) {
      const set = affinitySet(chain);
      this.#affinitySets.set(set, port.affinitySeconds);
      rules.push(`update @${set} { ip saddr }`);
    }
    rules.push(`meta l4proto ${port.protocol} dnat to ${address}:${target}`);
    this.#chains.set(chain, rules);
    return chain;
  }
}

function affinitySet(endpointChain: string): string {
  return endpointChain.replace(/^endpoint/, "affinity");
}

/** A name that nft takes: short, and unique by a hash of what it stands for. */
function chainName(kind: string, id: string): string {
  const hash = createHash("sha256").update(id).digest("hex").slice(0, 10);
  const readable = id
    .replaceAll(/[^a-zA-Z0-9/.]/g, "-")
    .replaceAll("/", "_")
    .slice(0, 60);
  return `${kind}-${hash}-${readable}`.replace(/[-_.]+$/, "");
}

/** The whole table, replacing whatever stands under its name, as one transaction. */
export function fullTransaction(ruleset: Ruleset, options: RulesetOptions): string {
  const lines = [
    `add table ip ${tableName}`,
    `delete table ip ${tableName}`,
    `add table ip ${tableName}`,
    ...baseChains(options),
  ];
  return [...lines, ...difference(emptyRuleset, ruleset)].join("\n");
}

export const emptyRuleset: Ruleset = { chains: new Map(), elements: new Map(), affinitySets: new Map() };

/** Commands that turn one ruleset into another; none when they are the same. */
export function difference(from: Ruleset, to: Ruleset): string[] {
  const add: string[] = [];
  const rules: string[] = [];
  const remove: string[] = [];
  for (const [set, seconds] of to.affinitySets) {
    if (from.affinitySets.get(set) === seconds) continue;
    if (from.affinitySets.has(set)) remove.push(`delete set ip ${tableName} ${set}`);
    add.push(`add set ip ${tableName} ${set} { type ipv4_addr ; flags dynamic,timeout ; timeout ${seconds}s ; }`);
  }
  for (const [chain, body] of to.chains) {
    const before = from.chains.get(chain);
    if (before !== undefined && sameRules(before, body)) continue;
    add.push(`add chain ip ${tableName} ${chain}`);
    if (before !== undefined) rules.push(`flush chain ip ${tableName} ${chain}`);
    for (const rule of body) rules.push(`add rule ip ${tableName} ${chain} ${rule}`);
  }
  const elements = elementChanges(from, to);
  const gone = [...from.chains.keys()].filter((chain) => !to.chains.has(chain));
  for (const chain of gone) remove.push(`flush chain ip ${tableName} ${chain}`);
  for (const chain of gone) remove.push(`delete chain ip ${tableName} ${chain}`);
  for (const set of from.affinitySets.keys()) {
    if (!to.affinitySets.has(set)) remove.push(`delete set ip ${tableName} ${set}`);
  }
  return [...add, ...rules, ...elements, ...remove];
}

function sameRules(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((rule, i) => rule === b[i]);
}

function elementChanges(from: Ruleset, to: Ruleset): string[] {
  const commands: string[] = [];
  for (const [set, wanted] of to.elements) {
    const present = from.elements.get(set) ?? new Map<string, string>();
    const gone = [...present].filter(([key, element]) => wanted.get(key) !== element);
    const added = [...wanted].filter(([key, element]) => present.get(key) !== element);
    if (gone.length > 0) {
      commands.push(`delete element ip ${tableName} ${set} { ${gone.map(([key]) => key).join(", ")} }`);
    }
    if (added.length > 0) {
      commands.push(`add element ip ${tableName} ${set} { ${added.map(([, element]) => element).join(", ")} }`);
    }
  }
  return commands;
}

/** Chains and maps that are always there. */
function baseChains({ serviceCidr, clusterCidr }: RulesetOptions): string[] {
  const chain = (name: string, hook = ""): string => `add chain ip ${tableName} ${name}${hook}`;
  const rule = (name: string, text: string): string => `add rule ip ${tableName} ${name} ${text}`;
  const set = (name: string, text: string): string =>
    `add ${text.startsWith("map") ? "map" : "set"} ip ${tableName} ${name} { ${text.replace(/^(?:map|set) /, "")} ; }`;
  const byDestination = "type ipv4_addr . inet_proto . inet_service : verdict";
  return [
    set("cluster-ips", "set type ipv4_addr"),
    set("service-ips", `map ${byDestination}`),
    set("no-endpoint-services", `map ${byDestination}`),
    set("service-nodeports", "map type inet_proto . inet_service : verdict"),
    set("no-endpoint-nodeports", "map type inet_proto . inet_service : verdict"),
    chain("reject-chain"),
    rule("reject-chain", "meta l4proto tcp reject with tcp reset"),
    rule("reject-chain", "reject"),
    chain("mark-for-masquerade"),
    rule("mark-for-masquerade", `meta mark set meta mark or ${masqueradeMark}`),
    chain("services"),
    rule("services", "ip daddr . meta l4proto . th dport vmap @service-ips"),
    rule("services", "ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @service-nodeports"),
    chain("unserved"),
    rule("unserved", "ip daddr . meta l4proto . th dport vmap @no-endpoint-services"),
    rule(
      "unserved",
      "ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @no-endpoint-nodeports",
    ),
    rule("unserved", "ip daddr @cluster-ips goto reject-chain"),
    rule("unserved", `ip daddr ${serviceCidr} drop`),
    chain("nat-prerouting", " { type nat hook prerouting priority -100 ; }"),
    rule("nat-prerouting", "jump services"),
    chain("nat-output", " { type nat hook output priority -100 ; }"),
    rule("nat-output", "jump services"),
    chain("nat-postrouting", " { type nat hook postrouting priority 100 ; }"),
    // What leaves the pods' range: nobody outside knows a way back to a pod.
    rule("nat-postrouting", `ip saddr ${clusterCidr} ip daddr != ${clusterCidr} masquerade`),
    rule("nat-postrouting", `meta mark and ${masqueradeMark} == 0 return`),
    rule("nat-postrouting", `meta mark set meta mark xor ${masqueradeMark}`),
    rule("nat-postrouting", "masquerade fully-random"),
    ...["input", "forward", "output"].flatMap((hook) => [
      chain(`filter-${hook}`, ` { type filter hook ${hook} priority 0 ; }`),
      rule(`filter-${hook}`, "ct state new jump unserved"),
    ]),
  ];
}

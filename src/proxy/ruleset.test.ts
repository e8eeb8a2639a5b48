import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRuleset, difference, emptyRuleset, fullTransaction } from "./ruleset.ts";
import type { ServicePortView } from "./service-ports.ts";

const options = { clusterCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" };

function port(change: Partial<ServicePortView> = {}): ServicePortView {
  const endpoints = change.endpoints ?? [
    { address: "10.244.1.2", port: 8080, local: true },
    { address: "10.244.2.2", port: 8080, local: false },
  ];
  return {
    id: "default/web/tcp/http",
    namespace: "default",
    name: "web",
    protocol: "tcp",
    port: 80,
    clusterAddresses: ["10.96.0.10"],
    externalAddresses: [],
    loadBalancerAddresses: [],
    sourceRanges: [],
    nodePort: 0,
    affinitySeconds: 0,
    externalLocal: false,
    endpoints,
    localEndpoints: endpoints.filter(({ local }) => local),
    ...change,
  };
}

function elements(ports: readonly ServicePortView[], set: "service-ips" | "no-endpoint-services" | "service-nodeports"): string[] {
  return [...(compileRuleset(ports, options).elements.get(set)?.values() ?? [])];
}

test("compileRuleset routes a cluster address to a chain that balances over the endpoints", () => {
  const ruleset = compileRuleset([port()], options);
  const [service] = [...ruleset.chains.keys()].filter((name) => name.startsWith("service-"));
  assert.ok(service);
  assert.deepEqual(elements([port()], "service-ips"), [`10.96.0.10 . tcp . 80 : goto ${service}`]);
  const rules = ruleset.chains.get(service) ?? [];
  assert.match(rules.join("\n"), /^numgen random mod 2 vmap \{ 0 : goto endpoint-\S+ , 1 : goto endpoint-\S+ \}$/);
  const endpointRules = [...ruleset.chains].filter(([name]) => name.startsWith("endpoint-")).map(([, body]) => body);
  assert.deepEqual(endpointRules[0], [
    "ip saddr 10.244.1.2 jump mark-for-masquerade",
    "meta l4proto tcp dnat to 10.244.1.2:8080",
  ]);
});

test("compileRuleset rejects a Service without endpoints", () => {
  assert.deepEqual(elements([port({ endpoints: [] })], "no-endpoint-services"), [
    "10.96.0.10 . tcp . 80 : goto reject-chain",
  ]);
  assert.deepEqual(elements([port({ endpoints: [] })], "service-ips"), []);
});

test("compileRuleset masquerades node port traffic unless it must stay local", () => {
  const cluster = compileRuleset([port({ nodePort: 30080 })], options);
  const external = [...cluster.chains].find(([name]) => name.startsWith("external-"));
  assert.equal(external?.[1][0], "jump mark-for-masquerade");
  const local = compileRuleset([port({ nodePort: 30080, externalLocal: true })], options);
  const rules = [...local.chains].find(([name]) => name.startsWith("external-"))?.[1] ?? [];
  assert.match(rules[0] ?? "", /^ip saddr 10\.244\.0\.0\/16 goto service-/);
  assert.match(rules.at(-1) ?? "", /^numgen random mod 1 /);
});

test("compileRuleset keeps clients at their endpoint with affinity", () => {
  const ruleset = compileRuleset([port({ affinitySeconds: 60 })], options);
  assert.deepEqual([...ruleset.affinitySets.values()], [60, 60]);
  const service = [...ruleset.chains].find(([name]) => name.startsWith("service-"))?.[1] ?? [];
  assert.match(service[0] ?? "", /^ip saddr @affinity-\S+ goto endpoint-/);
});

test("difference is empty between equal rulesets and small for a small change", () => {
  const one = compileRuleset([port()], options);
  assert.deepEqual(difference(one, compileRuleset([port()], options)), []);
  const other = port({ id: "default/api/tcp/", name: "api", clusterAddresses: ["10.96.0.11"] });
  const changed = compileRuleset([port(), other], options);
  const commands = difference(one, changed);
  assert.ok(commands.every((command) => !command.includes("10.96.0.10 ")), commands.join("\n"));
  assert.deepEqual(difference(changed, changed), []);
});

test("difference removes chains only after nothing refers to them", () => {
  const commands = difference(compileRuleset([port()], options), compileRuleset([], options));
  const lastElement = commands.findLastIndex((command) => command.startsWith("delete element"));
  const firstChain = commands.findIndex((command) => command.startsWith("delete chain"));
  assert.ok(lastElement >= 0 && lastElement < firstChain, commands.join("\n"));
});

test("fullTransaction replaces the table in one go", () => {
  const lines = fullTransaction(emptyRuleset, options).split("\n");
  assert.deepEqual(lines.slice(0, 3), [
    "add table ip kubets-proxy",
    "delete table ip kubets-proxy",
    "add table ip kubets-proxy",
  ]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Service } from "#api/core/v1/service.ts";
import { parseResolvConf, podDns } from "./dns.ts";
import { kernelHostname, podHostname } from "./hostname.ts";
import { nodeHostsFile, podHostsFile } from "./hosts-file.ts";
import { serviceEnvironment } from "./service-env.ts";

function podOf(spec: Partial<Pod["spec"]>, name = "web"): Pod {
  return { metadata: { name, namespace: "shop" }, spec: { containers: [], ...spec } };
}

test("podHostname is the name, unless the spec says another", () => {
  const long = "a".repeat(62);
  const rows = [
    [podOf({}), "web", ""],
    [podOf({ hostname: "db", subdomain: "set" }), "db", "set.shop.svc.cluster.local"],
    [podOf({ hostnameOverride: "other", subdomain: "set" }), "other", ""],
    [podOf({}, `${long}-b`), long, ""],
  ] as const;
  for (const [pod, hostname, domain] of rows) {
    assert.deepEqual(podHostname(pod, "cluster.local"), { hostname, domain });
  }
});

test("kernelHostname is the FQDN when asked for, and fails when that is too long", () => {
  const pod = podOf({ subdomain: "set", setHostnameAsFQDN: true });
  const name = podHostname(pod, "cluster.local");
  assert.equal(kernelHostname(pod, name), "web.set.shop.svc.cluster.local");
  assert.equal(kernelHostname(podOf({ subdomain: "set" }), name), "web");
  assert.throws(
    () => kernelHostname(pod, { ...name, domain: "d".repeat(70) }),
    /is too long \(64 characters is the max, 74 characters requested\)/,
  );
});

test("podHostsFile and nodeHostsFile end with the aliases", () => {
  const aliases = [{ ip: "1.2.3.4", hostnames: ["a", "b"] }];
  const file = podHostsFile(["10.0.0.1", "fd00::1"], { hostname: "web", domain: "set.x" }, aliases);
  assert.equal(
    file.slice(file.indexOf("10.0.0.1")),
    "10.0.0.1\tweb.set.x\tweb\nfd00::1\tweb.set.x\tweb\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n",
  );
  assert.equal(
    nodeHostsFile("127.0.0.1\tlocalhost\n", []),
    "# Kubernetes-managed hosts file (host network).\n127.0.0.1\tlocalhost\n",
  );
});

test("podDns combines the policy with the Pod's own settings", () => {
  const node = parseResolvConf(
    "nameserver 1.1.1.1 # first\nsearch lan.\noptions timeout:1 rotate\n",
  );
  assert.deepEqual(node, {
    servers: ["1.1.1.1"],
    searches: ["lan"],
    options: ["timeout:1", "rotate"],
  });
  const cluster = { servers: ["10.96.0.10"], domain: "cluster.local" };
  const searches = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "lan"];
  const clusterFirst = { servers: ["10.96.0.10"], searches, options: ["ndots:5"] };
  const rows = [
    [podOf({ dnsPolicy: "ClusterFirst" }), clusterFirst],
    [podOf({ dnsPolicy: "ClusterFirst", hostNetwork: true }), node],
    [podOf({ dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }), clusterFirst],
    [podOf({ dnsPolicy: "Default" }), node],
    [
      podOf({ dnsPolicy: "None", dnsConfig: { nameservers: ["9.9.9.9"], searches: ["x"] } }),
      { servers: ["9.9.9.9"], searches: ["x"], options: [] },
    ],
    [
      podOf({ dnsConfig: { options: [{ name: "ndots", value: "2" }, { name: "edns0" }] } }),
      { ...clusterFirst, options: ["ndots:2", "edns0"] },
    ],
  ] as const;
  for (const [pod, expected] of rows) assert.deepEqual(podDns(pod, cluster, node), expected);
});

function serviceOf(namespace: string, name: string, clusterIP: string, ports: object[]): Service {
  return { metadata: { namespace, name }, spec: { clusterIP, ports } } as Service;
}

test("serviceEnvironment tells of the namespace's Services and of the API server", () => {
  const services = [
    serviceOf("shop", "my-db", "10.0.0.5", [
      { name: "main", port: 5432, protocol: "TCP" },
      { name: "stats", port: 9000, protocol: "UDP" },
    ]),
    serviceOf("shop", "headless", "None", [{ port: 1 }]),
    serviceOf("other", "far", "10.0.0.6", [{ port: 1 }]),
    serviceOf("default", "kubernetes", "10.0.0.1", [{ name: "https", port: 443, protocol: "TCP" }]),
  ];
  const linked = serviceEnvironment(services, { namespace: "shop", enableServiceLinks: true });
  assert.equal(linked.get("MY_DB_SERVICE_HOST"), "10.0.0.5");
  assert.equal(linked.get("MY_DB_SERVICE_PORT_STATS"), "9000");
  assert.equal(linked.get("MY_DB_PORT"), "tcp://10.0.0.5:5432");
  assert.equal(linked.get("MY_DB_PORT_9000_UDP"), "udp://10.0.0.5:9000");
  assert.equal(linked.get("KUBERNETES_SERVICE_PORT_HTTPS"), "443");
  assert.equal(
    [...linked.keys()].some((name) => /HEADLESS|FAR/.test(name)),
    false,
  );
  const bare = serviceEnvironment(services, { namespace: "shop", enableServiceLinks: false });
  assert.equal(bare.has("MY_DB_SERVICE_HOST"), false);
  assert.equal(bare.get("KUBERNETES_SERVICE_HOST"), "10.0.0.1");
});

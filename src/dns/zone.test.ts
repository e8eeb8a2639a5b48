import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#api/core/v1/service.ts";
import type { EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import { resolveName, type ZoneSource } from "./zone.ts";

const services: Record<string, Service> = {
  "default/web": {
    metadata: { name: "web", namespace: "default" },
    spec: { type: "ClusterIP", clusterIP: "10.96.0.20", clusterIPs: ["10.96.0.20"], ports: [{ name: "http", port: 80, protocol: "TCP" }] },
  },
  "default/db": {
    metadata: { name: "db", namespace: "default" },
    spec: { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "sql", port: 5432, protocol: "TCP" }] },
  },
  "default/out": {
    metadata: { name: "out", namespace: "default" },
    spec: { type: "ExternalName", externalName: "example.com" },
  },
};

const slice: EndpointSlice = {
  metadata: { name: "db-x", namespace: "default", labels: { "kubernetes.io/service-name": "db" } },
  addressType: "IPv4",
  endpoints: [
    { addresses: ["10.244.1.5"], hostname: "db-0", conditions: { ready: true } },
    { addresses: ["10.244.1.6"], conditions: { ready: true } },
    { addresses: ["10.244.1.7"], conditions: { ready: false } },
  ],
  ports: [{ name: "sql", port: 5432, protocol: "TCP" }],
};

const source: ZoneSource = {
  service: (namespace, name) => services[`${namespace}/${name}`],
  hasNamespace: (namespace) => namespace === "default",
  slices: (namespace, service) => (`${namespace}/${service}` === "default/db" ? [slice] : []),
  serviceByAddress: (address) => (address === "10.96.0.20" ? services["default/web"] : undefined),
  slicesByAddress: (address) => (address.startsWith("10.244.1.") ? [slice] : []),
};

/** `TYPE NAME` -> what is answered: data in order, `none` (the name exists), `missing`, `elsewhere`. */
const cases: readonly [question: string, answer: string][] = [
  ["A web.default.svc.cluster.local", "10.96.0.20"],
  ["A WEB.Default.svc.cluster.local", "10.96.0.20"],
  ["AAAA web.default.svc.cluster.local", "none"],
  ["SRV _http._tcp.web.default.svc.cluster.local", "80 web.default.svc.cluster.local"],
  ["SRV _nope._tcp.web.default.svc.cluster.local", "missing"],
  ["A db.default.svc.cluster.local", "10.244.1.5 10.244.1.6"],
  ["A db-0.db.default.svc.cluster.local", "10.244.1.5"],
  ["A 10-244-1-6.db.default.svc.cluster.local", "10.244.1.6"],
  ["A db-9.db.default.svc.cluster.local", "missing"],
  ["SRV _sql._tcp.db.default.svc.cluster.local", "5432 db-0.db.default.svc.cluster.local 5432 10-244-1-6.db.default.svc.cluster.local"],
  ["A out.default.svc.cluster.local", "example.com"],
  ["A gone.default.svc.cluster.local", "missing"],
  ["A svc.cluster.local", "none"],
  ["A default.svc.cluster.local", "none"],
  ["A nope.svc.cluster.local", "missing"],
  ["A 10-244-1-5.default.pod.cluster.local", "10.244.1.5"],
  ["A 10-244-1-5.nope.pod.cluster.local", "missing"],
  ["TXT dns-version.cluster.local", "1.1.0"],
  ["PTR 20.0.96.10.in-addr.arpa", "web.default.svc.cluster.local"],
  ["PTR 5.1.244.10.in-addr.arpa", "db-0.db.default.svc.cluster.local"],
  ["PTR 1.1.168.192.in-addr.arpa", "elsewhere"],
  ["A example.com", "elsewhere"],
];

for (const [question, expected] of cases) {
  test(`resolveName ${question}`, () => {
    const [type = "", name = ""] = question.split(" ");
    const answer = resolveName(source, "cluster.local", { name, type });
    if (answer === undefined) return assert.equal("elsewhere", expected);
    const data = answer.answers.map((record) =>
      record.type === "SRV" ? `${record.data.port} ${record.data.target}` : record.data,
    );
    const shown = !answer.exists ? "missing" : data.length === 0 ? "none" : data.join(" ");
    return assert.equal(shown, expected);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { type DecodedPacket, decode, encode, type Packet } from "dns-packet";
import type { Service } from "#api/core/v1/service.ts";
import type { EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { respond, type Responder } from "./respond.ts";
import type { ZoneSource } from "./zone.ts";

const services: Record<string, Service["spec"]> = {
  "default/web": { clusterIPs: ["10.96.0.20"], ports: [{ name: "http", port: 80, protocol: "TCP" }] },
  "default/many": { clusterIP: "None", clusterIPs: ["None"], ports: [] },
  "default/out": { type: "ExternalName", externalName: "example.com" },
  "default/inside": { type: "ExternalName", externalName: "web.default.svc.cluster.local" },
  "default/odd": { type: "ExternalName", externalName: `${"x".repeat(64)}.example.com` },
  "kube-system/kube-dns": { clusterIPs: ["10.96.0.10"], ports: [{ name: "dns", port: 53, protocol: "UDP" }] },
};

const many: EndpointSlice = {
  metadata: { name: "many-1", namespace: "default" },
  addressType: "IPv4",
  endpoints: Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.9.0.${i + 1}`], conditions: {} })),
  ports: [{ name: "http", port: 80, protocol: "TCP" }],
};

const source: ZoneSource = {
  service(namespace, name) {
    const spec = services[`${namespace}/${name}`];
    return spec && { metadata: { namespace, name }, spec };
  },
  hasNamespace: (namespace) => namespace === "default",
  slices: (_, service) => (service === "many" ? [many] : []),
  serviceByAddress: () => undefined,
  slicesByAddress: () => [],
};

function responder(change: Partial<Responder> = {}): Responder {
  return { source, domain: "cluster.local", clock: createVirtualClock(), random: createVirtualRandom(1), log: silentLogger, ...change };
}

interface Asking {
  readonly transport?: "udp" | "tcp";
  readonly udpPayloadSize?: number;
  readonly change?: Partial<Responder>;
}

async function ask(question: string, { transport = "udp", udpPayloadSize, change }: Asking = {}): Promise<{ packet: DecodedPacket & { rcode?: string }; bytes: Buffer }> {
  const [type, name = ""] = question.split(" ");
  const query = encode({
    type: "query",
    id: 7,
    flags: 0x100,
    questions: [{ type: type as "A", name }],
    ...(udpPayloadSize !== undefined && {
      additionals: [{ type: "OPT", name: ".", udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }],
    }),
  });
  const bytes = Buffer.from((await respond(responder(change), query, transport)) ?? []);
  return { packet: decode(bytes), bytes };
}

function shown(records: Packet["answers"]): string[] {
  return (records ?? []).map((record) => {
    const data = "data" in record ? record.data : "";
    return `${record.name} ${record.type} ${typeof data === "object" && "target" in data ? `${data.port} ${data.target}` : typeof data === "object" && "mname" in data ? data.mname : String(data)}`;
  });
}

const cases: readonly { readonly question: string; readonly rcode?: string; readonly answers?: string[]; readonly additionals?: string[]; readonly authority?: boolean }[] = [
  { question: "A web.default.svc.cluster.local", answers: ["web.default.svc.cluster.local A 10.96.0.20"] },
  { question: "A WEB.default.svc.Cluster.local", answers: ["WEB.default.svc.Cluster.local A 10.96.0.20"] },
  {
    question: "SRV _http._tcp.web.default.svc.cluster.local",
    answers: ["_http._tcp.web.default.svc.cluster.local SRV 80 web.default.svc.cluster.local"],
    additionals: ["web.default.svc.cluster.local A 10.96.0.20"],
  },
  { question: "AAAA web.default.svc.cluster.local", authority: true },
  { question: "A nope.default.svc.cluster.local", rcode: "NXDOMAIN", authority: true },
  {
    question: "A inside.default.svc.cluster.local",
    answers: ["inside.default.svc.cluster.local CNAME web.default.svc.cluster.local", "web.default.svc.cluster.local A 10.96.0.20"],
  },
  { question: "CNAME inside.default.svc.cluster.local", answers: ["inside.default.svc.cluster.local CNAME web.default.svc.cluster.local"] },
  { question: "SOA cluster.local", answers: ["cluster.local SOA ns.dns.cluster.local"] },
  {
    question: "NS cluster.local",
    answers: ["cluster.local NS ns.dns.cluster.local"],
    additionals: ["ns.dns.cluster.local A 10.96.0.10"],
  },
  { question: "A ns.dns.cluster.local", answers: ["ns.dns.cluster.local A 10.96.0.10"] },
  { question: "TXT dns-version.cluster.local", answers: ["dns-version.cluster.local TXT 1.1.0"] },
  { question: "A odd.default.svc.cluster.local", rcode: "SERVFAIL" },
  { question: "A example.com", rcode: "REFUSED" },
];

for (const { question, rcode = "NOERROR", answers = [], additionals = [], authority = false } of cases) {
  test(`respond ${question}`, async () => {
    const { packet } = await ask(question);
    assert.equal(packet.id, 7);
    assert.equal(packet.rcode, rcode);
    assert.deepEqual(shown(packet.answers), answers);
    assert.deepEqual(shown(packet.additionals), additionals);
    assert.deepEqual(shown(packet.authorities), authority ? ["cluster.local SOA ns.dns.cluster.local"] : []);
  });
}

test("respond gives as many addresses as go into a packet, and says that there are more", async () => {
  const plain = await ask("A many.default.svc.cluster.local");
  assert.equal(plain.packet.flag_tc, true);
  assert.ok((plain.packet.answers?.length ?? 0) >= 25, `${plain.packet.answers?.length} answers`);
  assert.ok(plain.bytes.length <= 512);
  const wide = await ask("A many.default.svc.cluster.local", { udpPayloadSize: 1232 });
  assert.ok(wide.bytes.length <= 1232);
  assert.equal(wide.packet.additionals?.[0]?.type, "OPT");
  const tcp = await ask("A many.default.svc.cluster.local", { transport: "tcp" });
  assert.equal(tcp.packet.flag_tc, false);
  assert.equal(tcp.packet.answers?.length, 100);
  assert.deepEqual(tcp.packet.additionals, []);
});

test("respond passes on what another resolver says, and cuts what is too long", async () => {
  const reply = Buffer.from(encode({ type: "response", id: 7, questions: [{ type: "A", name: "example.com" }], answers: [{ type: "A", name: "example.com", data: "192.0.2.1" }] }));
  const asked: string[] = [];
  const forwarder = {
    forward: async (query: Uint8Array, transport: string) => {
      asked.push(`${transport} ${decode(Buffer.from(query)).questions?.[0]?.name}`);
      return reply;
    },
    [Symbol.asyncDispose]: async () => {},
  };
  assert.deepEqual((await ask("A example.com", { transport: "tcp", change: { forwarder } })).bytes, reply);
  const alias = await ask("A out.default.svc.cluster.local", { change: { forwarder } });
  assert.deepEqual(shown(alias.packet.answers), ["out.default.svc.cluster.local CNAME example.com", "example.com A 192.0.2.1"]);
  assert.deepEqual(asked, ["tcp example.com", "udp example.com"]);
  const long = { ...forwarder, forward: async () => Buffer.concat([reply, Buffer.alloc(600)]) };
  const cut = await ask("A example.com", { change: { forwarder: long } });
  assert.equal(cut.packet.flag_tc, true);
  const mute = { ...forwarder, forward: () => Promise.reject(new Error("no answer")) };
  assert.equal((await ask("A example.com", { change: { forwarder: mute } })).packet.rcode, "SERVFAIL");
});

test("respond points into a question whatever bytes it has", async () => {
  const query = Buffer.from(encode({ type: "query", id: 9, questions: [{ type: "A", name: "xyz.cluster.local" }] }));
  query.set([0xff, 0x2e, 0xc3], 13);
  const { authorities } = decode(Buffer.from((await respond(responder(), query, "udp")) ?? []));
  assert.deepEqual(shown(authorities), ["cluster.local SOA ns.dns.cluster.local"]);
});

test("respond refuses what it cannot read or do, and says nothing to scraps and replies", async () => {
  const query = encode({ type: "query", id: 9, questions: [{ type: "A", name: "web.default.svc.cluster.local" }] });
  const code = async (bytes: Uint8Array): Promise<number | undefined> => {
    const reply = await respond(responder(), bytes, "udp");
    return reply && (reply[3] ?? 0) & 0xf;
  };
  assert.equal(await code(query.subarray(0, 20)), 1);
  const notify = Buffer.from(query);
  notify[2] = 0x20;
  assert.equal(await code(notify), 4);
  assert.equal(await code(query.subarray(0, 11)), undefined);
  const reply = Buffer.from(query);
  reply[2] = 0x80;
  assert.equal(await code(reply), undefined);
});

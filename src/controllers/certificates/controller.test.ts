import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { certificateSigningRequests } from "#api/certificates/v1/certificate-signing-request.ts";
import { rfc3339 } from "#base/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { createCertificateAuthority } from "#wire/certificate-authority.ts";
import { certificateRequestPem, createCertificateRequest } from "#wire/certificate-request.ts";
import { parseCertificates } from "#wire/x509.ts";
import { certificateApprovingController } from "./approver.ts";
import { createCertificateSigner } from "./authority.ts";
import { certificateCleaner } from "./cleaner.ts";
import { certificateSigningController } from "./signer.ts";

const dayMs = 24 * 3600 * 1000;
const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

function setUp() {
  const start = createVirtualClock().nowMs();
  const random = createVirtualRandom(1);
  const authority = createCertificateAuthority({
    subject: { commonName: "kubernetes" },
    key: newKey(),
    notBeforeMs: start - dayMs,
    notAfterMs: start + 400 * dayMs,
    random,
  });
  const clock = { nowMs: () => world.clock.nowMs() } as ReturnType<typeof createVirtualClock>;
  const world = startControllerWorld([certificateApprovingController, certificateSigningController, certificateCleaner], {
    settings: { signer: createCertificateSigner({ authority, clock, random }) },
  });
  return world;
}

function requestFor(spec: { commonName?: string; usages?: string[]; signerName?: string; expirationSeconds?: number } = {}) {
  const { commonName = "system:node:n", usages = ["digital signature", "client auth"], ...rest } = spec;
  const der = createCertificateRequest({ subject: { commonName, organizations: ["system:nodes"] }, privateKey: newKey() });
  return {
    metadata: { name: "r" },
    spec: {
      request: Buffer.from(certificateRequestPem(der)).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client-kubelet",
      usages,
      username: "system:node:n",
      ...rest,
    },
  };
}

const approved = { conditions: [{ type: "Approved", status: "True", reason: "t" }] };

/** Answers access reviews as an authorizer would that allows `allowed`. */
function authorize(world: ReturnType<typeof setUp>, allowed: string): void {
  const { call } = world.api.transport;
  Object.assign(world.api.transport, {
    async call(request: Parameters<typeof call>[0]) {
      if (request.resource !== "subjectaccessreviews") return await call(request);
      const { spec } = request.body as { spec: { resourceAttributes: { subresource: string } } };
      return { metadata: {}, spec, status: { allowed: spec.resourceAttributes.subresource === allowed } };
    },
  });
}

test("a kubelet's own request is approved and signed, and deleted an hour later", async () => {
  const world = setUp();
  authorize(world, "selfnodeclient");
  world.seed(certificateSigningRequests, requestFor({ expirationSeconds: 3600 }));
  await world.settle();
  const { status } = world.get(certificateSigningRequests, "r") ?? {};
  assert.equal(status?.conditions?.[0]?.message, "Auto approving self kubelet client certificate after SubjectAccessReview.");
  const [leaf] = parseCertificates(Buffer.from(status?.certificate ?? "", "base64").toString());
  assert.equal(leaf?.subject.commonName, "system:node:n");
  assert.deepEqual([leaf?.keyUsages, leaf?.extendedKeyUsages], [["digital signature"], ["client auth"]]);
  assert.ok(Math.abs((leaf?.notAfterMs ?? 0) - world.clock.nowMs() - 3600_000) < 10_000);
  await world.settle(2 * 3600_000);
  assert.equal(world.get(certificateSigningRequests, "r"), undefined);
  assert.deepEqual(world.errors, []);
});

test("whoever may not ask waits for a person, a day at most", async () => {
  const world = setUp();
  authorize(world, "nothing");
  world.seed(certificateSigningRequests, requestFor());
  await world.settle(23 * 3600_000);
  assert.equal(world.get(certificateSigningRequests, "r")?.status, undefined);
  await world.settle(2 * 3600_000);
  assert.equal(world.get(certificateSigningRequests, "r"), undefined);
});

for (const [what, spec, message] of [
  ["usage of a client", { signerName: "kubernetes.io/kube-apiserver-client", usages: ["server auth"] },
    "invalid usage for client certificate: server auth"],
  ["missing usage of a client", { signerName: "kubernetes.io/kube-apiserver-client", usages: ["digital signature"] },
    "missing required usage for client certificate: client auth"],
  ["name of a node", { commonName: "me" }, "subject common name does not begin with system:node:"],
  ["addresses of a server", { signerName: "kubernetes.io/kubelet-serving" }, "DNS or IP subjectAltName is required"],
  ["usages of a kubelet", { usages: ["server auth"] }, "usages did not match [client auth digital signature key encipherment]"],
] as const) {
  test(`signing fails for the wrong ${what}`, async () => {
    const world = setUp();
    const request = requestFor({ ...spec, usages: [...("usages" in spec ? spec.usages : ["digital signature", "client auth"])] });
    world.seed(certificateSigningRequests, { ...request, status: approved });
    await world.settle();
    const failed = world.get(certificateSigningRequests, "r")?.status?.conditions?.[1];
    assert.deepEqual([failed?.type, failed?.reason, failed?.message], ["Failed", "SignerValidationFailure", message]);
  });
}

test("other signers' requests are left alone; denied ones go after an hour", async () => {
  const world = setUp();
  world.seed(certificateSigningRequests, { ...requestFor({ signerName: "example.com/x" }), status: approved });
  const lastUpdateTime = rfc3339(world.clock.nowMs());
  const denied = { conditions: [{ type: "Denied", status: "True", lastUpdateTime }] };
  world.seed(certificateSigningRequests, { ...requestFor(), metadata: { name: "denied" }, status: denied });
  await world.settle(3599_000);
  assert.equal(world.get(certificateSigningRequests, "r")?.status?.certificate, undefined);
  assert.notEqual(world.get(certificateSigningRequests, "denied"), undefined);
  await world.settle(5_000);
  assert.equal(world.get(certificateSigningRequests, "denied"), undefined);
  assert.notEqual(world.get(certificateSigningRequests, "r"), undefined);
});

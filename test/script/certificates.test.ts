import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { certificateRequestPem, createCertificateRequest } from "#wire/certificate-request.ts";
import { at, edited } from "./api.ts";
import { changeStatus, createAndChange, discovered, type Operations, removeAll } from "./operations.ts";
import { area, scenario } from "./scenario.ts";

const group = "certificates.k8s.io";

function request(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = createCertificateRequest({
    privateKey,
    subject: { commonName: "e2e.example.com" },
    altNames: { dnsNames: ["e2e.example.com"] },
  });
  return Buffer.from(certificateRequestPem(der)).toString("base64");
}

area("[sig-auth] Certificates API [Privileged:ClusterAdmin]", () => {
  scenario("should support CSR API operations", async (world) => {
    const plural = "certificatesigningrequests";
    await discovered(world, { group, resources: [plural, `${plural}/approval`, `${plural}/status`] });
    const signerName = `example.com/e2e-${world.unique}`;
    const object = {
      metadata: { generateName: "e2e-example-csr-" },
      spec: {
        request: request(),
        signerName,
        expirationSeconds: 3600,
        usages: ["digital signature", "key encipherment", "server auth"],
      },
    };
    const objects = world.all(`${group}/v1`, plural);
    const operations: Operations = {
      objects,
      selection: { fieldSelector: `spec.signerName=${signerName}` },
      objectsOf: [object, object, object],
    };
    const changed = await createAndChange(operations);
    const name = changed.metadata.name ?? "";
    assert.equal(at(changed, "spec", "expirationSeconds"), 3600);
    assert.equal(at(changed, "spec", "username"), "admin");

    const gotten = await objects.get(name, "approval");
    assert.deepEqual([gotten.kind, gotten.apiVersion], ["CertificateSigningRequest", `${group}/v1`]);
    const condition = { type: "ApprovalPatch", status: "True", reason: "e2e" };
    const approved = { type: "Approved", status: "True", reason: "E2E", message: "Set from an e2e test" };
    const approval = await changeStatus(objects, name, {
      patch: { conditions: [condition] },
      update: { condition: approved },
      subresource: "approval",
    });
    assert.equal(approval.metadata.annotations?.["patchedapproval"], "true");
    const conditions = at(approval, "status", "conditions") as object[];

    const certificate = Buffer.from(world.server.running.pki.caPem).toString("base64");
    const status = await objects.patch(name, {
      type: "merge",
      body: { metadata: { annotations: { patchedstatus: "true" } }, status: { certificate } },
      subresource: "status",
    });
    assert.equal(at(status, "status", "certificate"), certificate);
    assert.equal(status.metadata.annotations?.["patchedstatus"], "true");
    const added = { ...approved, type: "StatusUpdate" };
    const updated = await objects.update(edited(status, { status: { conditions: [...conditions, added] } }), "status");
    const found = at(updated, "status", "conditions") as { type: string }[];
    assert.deepEqual(
      found.map(({ type }) => type),
      ["ApprovalPatch", "Approved", "StatusUpdate"],
    );
    await removeAll(operations, name);
  });
});

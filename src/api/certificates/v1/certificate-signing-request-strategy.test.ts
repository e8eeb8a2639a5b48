import assert from "node:assert/strict";
import { test } from "node:test";
import type { UpdateContext } from "#apimachinery/resource.ts";
import { approvalSubresource, signingSubresource } from "./certificate-signing-request-strategy.ts";
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "./certificate-signing-request.ts";

function condition(type: string, reason = ""): CertificateSigningRequestCondition {
  const times = { lastUpdateTime: "2020-01-01T00:00:00Z", lastTransitionTime: "2020-01-01T00:00:00Z" };
  return { type, status: "True", reason, message: "", ...times };
}

function withStatus(conditions: CertificateSigningRequestCondition[], certificatePem = ""): CertificateSigningRequest {
  const certificate = Buffer.from(certificatePem).toString("base64");
  return { metadata: {}, spec: { request: "", signerName: "" }, status: { conditions, certificate } } as unknown as CertificateSigningRequest;
}

/** The conditions that are left, and the texts of what is wrong. */
function written(
  { strategy }: typeof signingSubresource,
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): { conditions: string[]; errors: string[] } {
  const context = { old, nowMs: 0 } as unknown as UpdateContext<CertificateSigningRequest>;
  strategy?.prepareForUpdate?.(request, context);
  return {
    conditions: (request.status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`.trim()),
    errors: (strategy?.validateUpdate?.(request, context) ?? []).map(({ detail }) => detail),
  };
}

test("status keeps the approval in its place, as it was", () => {
  const old = withStatus([condition("First"), condition("Approved", "mine")]);
  const request = withStatus([condition("First"), condition("Approved", "other"), condition("Last")]);
  assert.deepEqual(written(signingSubresource, request, old), { conditions: ["First", "Approved mine", "Last"], errors: [] });
});

test("status neither adds nor takes what is decided", () => {
  const added = written(signingSubresource, withStatus([condition("Denied")]), withStatus([]));
  assert.deepEqual(added.errors, ['updates may not add a condition of type "Denied"']);
  const taken = written(signingSubresource, withStatus([]), withStatus([condition("Approved"), condition("Failed")]));
  assert.deepEqual(taken.errors, ['updates may not remove a condition of type "Approved"', 'updates may not remove a condition of type "Failed"']);
});

test("approval adds, and takes nothing back", () => {
  assert.deepEqual(written(approvalSubresource, withStatus([condition("Approved")]), withStatus([])).errors, []);
  const back = written(approvalSubresource, withStatus([]), withStatus([condition("Approved")]));
  assert.deepEqual(back.errors, ['updates may not remove a condition of type "Approved"']);
});

test("a certificate is PEM, and is issued once", () => {
  const pem = (type: string): string => `-----BEGIN ${type}-----\nAAAA\n-----END ${type}-----\n`;
  const rows: [now: string, before: string, errors: string[]][] = [
    [pem("CERTIFICATE"), "", []],
    [pem("CERTIFICATE"), pem("CERTIFICATE"), []],
    [pem("PRIVATE KEY"), "", ['only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"']],
    ["text", "", ["must contain at least one CERTIFICATE PEM block"]],
    [`${pem("CERTIFICATE")}\n`, pem("CERTIFICATE"), ["updates may not modify existing certificate content"]],
  ];
  for (const [now, before, errors] of rows) {
    assert.deepEqual(written(signingSubresource, withStatus([], now), withStatus([], before)).errors, errors);
  }
});

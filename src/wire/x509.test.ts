import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualRandom } from "#base/virtual/random.ts";
import {
  createCertificateAuthority,
  issueCertificate,
  type CertificateAuthority,
  type CertificateOptions,
} from "./certificate-authority.ts";
import {
  certificateRequestPem,
  createCertificateRequest,
  parseCertificateRequest,
  parseCertificateRequestPem,
} from "./certificate-request.ts";
import { DerError } from "./der.ts";
import { parsePem } from "./pem.ts";
import { parsePrivateKey, parsePublicKeys, privateKeyPem, publicKeyPem } from "./private-key.ts";
import {
  certificateFingerprint,
  certificatePem,
  parseCertificate,
  parseCertificates,
  type Certificate,
} from "./x509.ts";
import { isSignedBy, verifyCertificate } from "./x509-verify.ts";

const random = createVirtualRandom(1);
const notBeforeMs = Date.UTC(2026, 0, 1);
const notAfterMs = Date.UTC(2051, 0, 1);
const nowMs = Date.UTC(2026, 5, 1);

function ecKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

function openssl(args: readonly string[], input = ""): string {
  const stdio = ["pipe", "pipe", "ignore"] as const;
  return execFileSync("openssl", args, { encoding: "utf8", input, stdio: [...stdio] });
}

function authority(commonName: string, key = ecKey()): CertificateAuthority {
  return createCertificateAuthority({
    subject: { commonName },
    key,
    notBeforeMs,
    notAfterMs,
    random,
  });
}

function issue(ca: CertificateAuthority, options: Partial<CertificateOptions> = {}): Certificate {
  return issueCertificate(ca, {
    subject: { commonName: "kube-apiserver" },
    key: ecKey(),
    notBeforeMs,
    notAfterMs,
    random,
    ...options,
  });
}

test("an issued certificate carries what was asked, by our reader, Node's and OpenSSL's", () => {
  const ca = authority("kubernetes");
  const leaf = issue(ca, {
    subject: { commonName: "system:node:größe", organizations: ["system:nodes", "b"] },
    altNames: {
      dnsNames: ["kubernetes", "*.example"],
      ipAddresses: ["10.96.0.1", "fd00::1"],
      uris: ["spiffe://a/b"],
      emailAddresses: ["a@b.c"],
    },
    extendedKeyUsages: ["client auth", "server auth"],
  });
  assert.deepEqual(
    { ...leaf.subject, attributes: leaf.subject.attributes.length },
    { commonName: "system:node:größe", organizations: ["b", "system:nodes"], attributes: 3 },
  );
  assert.deepEqual(leaf.altNames, {
    dnsNames: ["kubernetes", "*.example"],
    ipAddresses: ["10.96.0.1", "fd00::1"],
    uris: ["spiffe://a/b"],
    emailAddresses: ["a@b.c"],
  });
  assert.deepEqual(leaf.keyUsages, ["digital signature", "key encipherment"]);
  assert.deepEqual(leaf.extendedKeyUsages, ["server auth", "client auth"]);
  assert.deepEqual([leaf.isCa, ca.certificate.isCa], [false, true]);
  assert.deepEqual([leaf.notBeforeMs, leaf.notAfterMs], [notBeforeMs, notAfterMs + 999]);

  const node = new X509Certificate(certificatePem(leaf));
  assert.equal(node.verify(new X509Certificate(ca.certificate.der).publicKey), true);
  assert.equal(node.checkIssued(new X509Certificate(ca.certificate.der)), true);
  assert.equal(node.checkHost("kubernetes"), "kubernetes");
  assert.equal(node.checkIP("fd00::1"), "fd00::1");
  assert.deepEqual(node.keyUsage, ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"]);
  const text = openssl(["x509", "-noout", "-text"], certificatePem(leaf));
  assert.match(text, /Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
  assert.match(text, /DNS:kubernetes, DNS:\*\.example, email:a@b\.c, IP Address:10\.96\.0\.1, /);
  assert.match(text, /Not After : Jan {2}1 00:00:00 2051 GMT/);
});

test("OpenSSL verifies chains of EC, RSA and Ed25519 authorities", () => {
  const directory = mkdtempSync(join(tmpdir(), "kubets-"));
  try {
    const keys = [
      ecKey(),
      generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
      generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
      generateKeyPairSync("ed25519").privateKey,
    ];
    for (const key of keys) {
      const ca = authority("front-proxy-ca", key);
      const leaf = issue(ca, { key, extendedKeyUsages: ["client auth"] });
      writeFileSync(join(directory, "ca.pem"), certificatePem(ca.certificate));
      writeFileSync(join(directory, "leaf.pem"), certificatePem(leaf));
      const at = String(nowMs / 1000);
      const args = ["verify", "-x509_strict", "-purpose", "sslclient", "-attime", at];
      const files = ["-CAfile", join(directory, "ca.pem"), join(directory, "leaf.pem")];
      const type = String(key.asymmetricKeyType);
      assert.match(openssl([...args, ...files]), /: OK\n$/, type);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("verifyCertificate accepts a chain and says in Go's words why not", () => {
  const ca = authority("kubernetes");
  const impostor = authority("kubernetes");
  const client = issue(ca, { extendedKeyUsages: ["client auth"] });
  const clientKey = ecKey();
  const notCa = issue(ca, { subject: { commonName: "mid" }, key: clientKey });
  const byLeaf = issue({ certificate: notCa, privateKey: clientKey });
  const rows: [name: string, leaf: Certificate, atMs: number, problem: RegExp | undefined][] = [
    ["good", client, nowMs, undefined],
    ["no usage named", issue(ca), nowMs, undefined],
    [
      "other usage",
      issue(ca, { extendedKeyUsages: ["server auth"] }),
      nowMs,
      /incompatible key usage/,
    ],
    ["same name, other key", issue(impostor), nowMs, /signed by unknown authority/],
    ["issued by a leaf", byLeaf, nowMs, /signed by unknown authority/],
    [
      "early",
      client,
      notBeforeMs - 1,
      /not yet valid: current time 2025-12-31T23:59:59Z is before 2026/,
    ],
    [
      "late",
      client,
      notAfterMs + 1000,
      /current time 2051-01-01T00:00:01Z is after 2051-01-01T00:00:00Z/,
    ],
  ];
  for (const [name, leaf, atMs, problem] of rows) {
    const options = { roots: [ca.certificate], nowMs: atMs, usage: "client auth" } as const;
    const found = verifyCertificate(leaf, { ...options, intermediates: [notCa] });
    if (problem === undefined) assert.equal(found, undefined, name);
    else assert.match(found ?? "", problem, name);
  }
});

test("verifyCertificate follows intermediates that the peer sent", () => {
  const root = authority("root");
  const key = ecKey();
  const middle = issue(root, { subject: { commonName: "middle" }, key, isCa: true });
  const leaf = issue({ certificate: middle, privateKey: key });
  const options = { roots: [root.certificate], nowMs, usage: "client auth" } as const;
  assert.match(verifyCertificate(leaf, options) ?? "", /unknown authority/);
  assert.equal(verifyCertificate(leaf, { ...options, intermediates: [middle] }), undefined);
  assert.equal(isSignedBy(leaf, middle), true);
  assert.equal(isSignedBy(leaf, root.certificate), false);
});

test("a certificate request round-trips, and OpenSSL reads it", () => {
  const key = ecKey();
  const der = createCertificateRequest({
    subject: { commonName: "system:node:n1", organizations: ["system:nodes"] },
    privateKey: key,
    altNames: { dnsNames: ["n1"], ipAddresses: ["192.0.2.1"] },
  });
  const request = parseCertificateRequestPem(certificateRequestPem(der));
  assert.equal(request.subject.commonName, "system:node:n1");
  assert.deepEqual(request.subject.organizations, ["system:nodes"]);
  assert.deepEqual(request.altNames.dnsNames, ["n1"]);
  assert.deepEqual(request.altNames.ipAddresses, ["192.0.2.1"]);
  assert.equal(request.isSignatureValid(), true);
  const text = openssl(["req", "-noout", "-text", "-verify"], certificateRequestPem(der));
  assert.match(text, /Subject: O = system:nodes, CN = system:node:n1\n/);

  const tampered = Buffer.from(der);
  tampered.write("system:node:n2", tampered.indexOf("system:node:n1"));
  assert.equal(parseCertificateRequest(tampered).isSignatureValid(), false);
});

test("requests that OpenSSL made are read", () => {
  const kinds = [
    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ["-newkey", "rsa:2048", "-sha512"],
    ["-newkey", "ed25519"],
  ];
  for (const kind of kinds) {
    const names = ["-subj", "/O=dev/O=ops/CN=alice", "-addext", "subjectAltName=DNS:a.b,IP:::1"];
    const pem = openssl(["req", "-new", "-nodes", "-keyout", "/dev/null", ...kind, ...names]);
    const request = parseCertificateRequestPem(pem);
    assert.equal(request.subject.commonName, "alice");
    assert.deepEqual(request.subject.organizations, ["dev", "ops"]);
    assert.deepEqual(request.altNames.dnsNames, ["a.b"]);
    assert.deepEqual(request.altNames.ipAddresses, ["::1"]);
    assert.equal(request.isSignatureValid(), true, kind[1]);
  }
});

test("keys round-trip through PEM, and public halves are found in a bundle", () => {
  const ec = ecKey();
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  assert.match(privateKeyPem(ec), /^-----BEGIN EC PRIVATE KEY/);
  assert.match(privateKeyPem(rsa), /^-----BEGIN RSA PRIVATE KEY/);
  for (const key of [ec, rsa]) assert.equal(parsePrivateKey(privateKeyPem(key)).equals(key), true);
  const bundle = publicKeyPem(ec) + privateKeyPem(rsa);
  assert.deepEqual(parsePublicKeys(bundle).map(publicKeyPem), [
    publicKeyPem(ec),
    publicKeyPem(rsa),
  ]);
});

test("a bundle's certificates are read in order; the fingerprint is OpenSSL's", () => {
  const ca = authority("a");
  const other = authority("b");
  const pem = `# comment\n${certificatePem(ca.certificate)}\n\n${certificatePem(other.certificate)}`;
  const read = parseCertificates(pem + privateKeyPem(ecKey()));
  assert.deepEqual(
    read.map(({ subject }) => subject.commonName),
    ["a", "b"],
  );
  const fingerprint = new X509Certificate(ca.certificate.der).fingerprint256;
  assert.equal(
    certificateFingerprint(ca.certificate),
    fingerprint.replaceAll(":", "").toLowerCase(),
  );
});

test("damaged input gives DerError, never another error", () => {
  const { der } = authority("kubernetes").certificate;
  for (let at = 0; at < der.length; at++) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const damaged = Buffer.from(der);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      try {
        parseCertificate(damaged);
      } catch (error) {
        assert.ok(error instanceof DerError, `byte ${at}: ${String(error)}`);
      }
    }
    assert.throws(() => parseCertificate(der.subarray(0, at)), DerError);
  }
  assert.throws(
    () => parseCertificateRequestPem("x"),
    /PEM block type must be CERTIFICATE REQUEST/,
  );
  assert.deepEqual(parsePem("-----BEGIN A-----\nAA\n-----END B-----"), []);
});

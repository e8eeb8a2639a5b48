import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { readTextIfPresent } from "#base/files.ts";
import { generatePrivateKey } from "#base/os/keys.ts";
import type { World } from "#base/world.ts";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
} from "#wire/certificate-authority.ts";
import { parsePrivateKey, privateKeyPem, publicKeyPem } from "#wire/private-key.ts";
import { type Certificate, certificatePem, parseCertificates } from "#wire/x509.ts";

/**
 * The cluster's keys and certificates: made at the first start under `DATA/pki`, in kubeadm's
 * layout, and read afterwards. Private files are 0600.
 */
export interface Pki {
  readonly directory: string;
  /** Signs server and client certificates. */
  readonly ca: CertificateAuthority;
  readonly caPem: string;
  /** Signs what the API server shows to aggregated servers. */
  readonly frontProxyCa: CertificateAuthority;
  readonly frontProxyCaPem: string;
  readonly serviceAccountKey: KeyObject;
}

export interface KeyPair {
  /** PEM, the leaf first. */
  readonly cert: string;
  readonly key: string;
}

const yearMs = 365 * 24 * 3600 * 1000;
const authorityYears = 10;
/** Clocks of clients may be behind ours. */
const backdateMs = 5 * 60 * 1000;
/** A certificate is issued anew when less than this part of its life is left. */
const renewalFraction = 0.3;

/** Reads the authorities and keys of a data directory, making what is missing. */
export async function openPki(world: World, dataDirectory: string): Promise<Pki> {
  const directory = join(dataDirectory, "pki");
  await world.files.makeDirectory(directory, 0o700);
  const [ca, frontProxyCa, serviceAccountKey] = await Promise.all([
    openAuthority(world, directory, { file: "ca", commonName: "kubernetes" }),
    openAuthority(world, directory, { file: "front-proxy-ca", commonName: "front-proxy-ca" }),
    openServiceAccountKey(world, directory),
  ]);
  return {
    directory,
    ca,
    caPem: certificatePem(ca.certificate),
    frontProxyCa,
    frontProxyCaPem: certificatePem(frontProxyCa.certificate),
    serviceAccountKey,
  };
}

async function openAuthority(
  world: World,
  directory: string,
  spec: { file: string; commonName: string },
): Promise<CertificateAuthority> {
  const stored = await readPair(world, join(directory, spec.file));
  if (stored !== undefined) {
    const [certificate] = parseCertificates(stored.cert);
    if (certificate === undefined) throw new Error(`no certificate in ${directory}/${spec.file}.crt`);
    return { certificate, privateKey: parsePrivateKey(stored.key) };
  }
  const key = await generatePrivateKey();
  const nowMs = world.clock.nowMs();
  const authority = createCertificateAuthority({
    subject: { commonName: spec.commonName },
    key,
    notBeforeMs: nowMs - backdateMs,
    notAfterMs: nowMs + authorityYears * yearMs,
    random: world.random,
  });
  const pair = { cert: certificatePem(authority.certificate), key: privateKeyPem(key) };
  await writePair(world, join(directory, spec.file), pair);
  return authority;
}

async function openServiceAccountKey(world: World, directory: string): Promise<KeyObject> {
  const path = join(directory, "sa.key");
  const pem = await readTextIfPresent(world.files, path);
  if (pem !== undefined) return parsePrivateKey(pem);
  const key = await generatePrivateKey();
  await world.files.writeAtomic(path, privateKeyPem(key), 0o600);
  await world.files.writeAtomic(join(directory, "sa.pub"), publicKeyPem(key), 0o644);
  return key;
}

export interface LeafSpec {
  /** File name under `pki` without ending. */
  readonly file: string;
  readonly authority: CertificateAuthority;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usages: readonly ("server auth" | "client auth")[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** A certificate that is on disk, still long valid and for all the names, else a fresh one. */
export async function openLeaf(world: World, pki: Pki, spec: LeafSpec): Promise<KeyPair> {
  const path = join(pki.directory, spec.file);
  const stored = await readPair(world, path);
  const nowMs = world.clock.nowMs();
  if (stored !== undefined && isUsable(stored.cert, spec, nowMs)) return stored;
  const key = await generatePrivateKey();
  const certificate = issueCertificate(spec.authority, {
    subject: { commonName: spec.commonName, organizations: [...(spec.organizations ?? [])] },
    key,
    notBeforeMs: nowMs - backdateMs,
    notAfterMs: nowMs + yearMs,
    random: world.random,
    extendedKeyUsages: spec.usages,
    altNames: {
      dnsNames: [...(spec.dnsNames ?? [])],
      ipAddresses: [...(spec.ipAddresses ?? [])],
    },
  });
  const pair = { cert: certificatePem(certificate), key: privateKeyPem(key) };
  await writePair(world, path, pair);
  return pair;
}

function isUsable(pem: string, spec: LeafSpec, nowMs: number): boolean {
  const [leaf] = parseCertificates(pem);
  if (leaf === undefined) return false;
  if (leaf.notAfterMs - nowMs < renewalFraction * (leaf.notAfterMs - leaf.notBeforeMs)) return false;
  return (
    leaf.issuer.commonName === spec.authority.certificate.subject.commonName &&
    signedBy(leaf, spec.authority) &&
    includesAll(leaf.altNames.dnsNames, spec.dnsNames) &&
    includesAll(leaf.altNames.ipAddresses, spec.ipAddresses)
  );
}

function signedBy(leaf: Certificate, authority: CertificateAuthority): boolean {
  return Buffer.compare(leaf.issuerDer, authority.certificate.subjectDer) === 0;
}

function includesAll(present: readonly string[], wanted: readonly string[] = []): boolean {
  return wanted.every((name) => present.includes(name));
}

async function readPair(world: World, path: string): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([
    readTextIfPresent(world.files, `${path}.crt`),
    readTextIfPresent(world.files, `${path}.key`),
  ]);
  return cert !== undefined && key !== undefined ? { cert, key } : undefined;
}

async function writePair(world: World, path: string, pair: KeyPair): Promise<void> {
  await world.files.writeAtomic(`${path}.key`, pair.key, 0o600);
  await world.files.writeAtomic(`${path}.crt`, pair.cert, 0o644);
}

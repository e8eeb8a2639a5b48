/**
 * X.509 certificates: reading them, and checking who signed them.
 *
 * The few shapes that a cluster needs are written with `der.ts`: the known libraries cost more
 * time to import than the whole server may take to start.
 */
import { createHash, X509Certificate, type KeyObject } from "node:crypto";
import { derChildren, DerError, readBits, readDer, readTime, tags, type DerNode } from "./der.ts";
import { parsePem, writePem } from "./pem.ts";
import {
  extensionOids,
  noSubjectAltNames,
  readExtendedKeyUsage,
  readExtensions,
  readKeyUsage,
  readSubjectAltNames,
  type ExtendedKeyUsage,
  type KeyUsage,
  type SubjectAltNames,
} from "./x509-extensions.ts";
import { readName, type DistinguishedName } from "./x509-name.ts";

export interface Certificate {
  readonly der: Uint8Array;
  readonly serialNumber: Uint8Array;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** The encoded names, by which chains are built. */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly notBeforeMs: number;
  /** The last millisecond of validity. */
  readonly notAfterMs: number;
  readonly isCa: boolean;
  readonly keyUsages: readonly KeyUsage[];
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  readonly altNames: SubjectAltNames;
  readonly subjectKeyId: Uint8Array | undefined;
}

/** Throws `DerError` when `bytes` is no certificate. */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const [tbs] = derChildren(readDer(bytes), tags.sequence);
  if (tbs === undefined) throw new DerError("not a certificate");
  const fields = derChildren(tbs, tags.sequence);
  // The version is [0] EXPLICIT and absent in version 1.
  const at = fields[0]?.tag === 0xa0 ? 1 : 0;
  const [serial, , issuer, validity, subject, publicKey] = fields.slice(at);
  if (!serial || !issuer || !validity || !subject || !publicKey) {
    throw new DerError("not a certificate");
  }
  const [notBefore, notAfter] = derChildren(validity, tags.sequence);
  if (!notBefore || !notAfter) throw new DerError("no validity");
  const extensions = fields.find((field) => field.tag === 0xa3);
  return {
    der: bytes,
    serialNumber: serial.content,
    subject: readName(subject),
    issuer: readName(issuer),
    subjectDer: subject.bytes,
    issuerDer: issuer.bytes,
    notBeforeMs: readTime(notBefore),
    notAfterMs: readTime(notAfter) + 999,
    ...extensionFields(extensions),
  };
}

type ExtensionFields = Pick<
  Certificate,
  "isCa" | "keyUsages" | "extendedKeyUsages" | "altNames" | "subjectKeyId"
>;

function extensionFields(wrapper: DerNode | undefined): ExtensionFields {
  const values = wrapper === undefined ? new Map() : readExtensions(readDer(wrapper.content));
  const read = <T>(oid: string, parse: (value: Uint8Array) => T): T | undefined => {
    const value: Uint8Array | undefined = values.get(oid);
    return value === undefined ? undefined : parse(value);
  };
  return {
    isCa: read(extensionOids.basicConstraints, readIsCa) ?? false,
    keyUsages: read(extensionOids.keyUsage, readKeyUsage) ?? [],
    extendedKeyUsages: read(extensionOids.extendedKeyUsage, readExtendedKeyUsage) ?? [],
    altNames: read(extensionOids.subjectAltName, readSubjectAltNames) ?? noSubjectAltNames,
    subjectKeyId: read(extensionOids.subjectKeyId, (value) => readDer(value).content),
  };
}

function readIsCa(value: Uint8Array): boolean {
  const [flag] = derChildren(readDer(value), tags.sequence);
  return flag?.tag === tags.boolean && flag.content[0] !== 0;
}

/** The certificates of a PEM text, in order; other blocks are skipped. */
export function parseCertificates(pem: string): Certificate[] {
  return parsePem(pem)
    .filter(({ type }) => type === "CERTIFICATE")
    .map(({ bytes }) => parseCertificate(bytes));
}

export function certificatePem(certificate: Pick<Certificate, "der">): string {
  return writePem("CERTIFICATE", certificate.der);
}

/** SHA-256 of the whole certificate, lower-case hex. */
export function certificateFingerprint(certificate: Pick<Certificate, "der">): string {
  return createHash("sha256").update(certificate.der).digest("hex");
}

export function certificatePublicKey(certificate: Pick<Certificate, "der">): KeyObject {
  return new X509Certificate(certificate.der).publicKey;
}

/** The key of a `SubjectPublicKeyInfo`, hashed as authority and subject key ids are. */
export function keyId(publicKeyInfo: Uint8Array): Uint8Array {
  const [, bits] = derChildren(readDer(publicKeyInfo), tags.sequence);
  if (bits === undefined) throw new DerError("not a public key");
  return createHash("sha1").update(readBits(bits).bytes).digest();
}

import { createPublicKey, sign, type KeyObject } from "node:crypto";
import type { Random } from "#base/random.ts";
import {
  derBitString,
  derBoolean,
  derContext,
  derContextPrimitive,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derTime,
} from "./der.ts";
import { keyId, parseCertificate, type Certificate } from "./x509.ts";
import {
  derExtendedKeyUsage,
  derExtension,
  derKeyUsage,
  derSubjectAltNames,
  extensionOids,
  type ExtendedKeyUsage,
  type KeyUsage,
  type SubjectAltNames,
} from "./x509-extensions.ts";
import { derName, type NameOptions } from "./x509-name.ts";

export interface CertificateAuthority {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
}

export interface CertificateOptions {
  readonly subject: NameOptions;
  /** Public, or the private one whose public half is taken. */
  readonly key: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly random: Random;
  readonly altNames?: Partial<SubjectAltNames>;
  /** @default "digital signature" and "key encipherment" */
  readonly keyUsages?: readonly KeyUsage[];
  /** @default none */
  readonly extendedKeyUsages?: readonly ExtendedKeyUsage[];
  /** May sign others in turn. @default false */
  readonly isCa?: boolean;
}

const caKeyUsages: readonly KeyUsage[] = ["digital signature", "key encipherment", "cert sign"];
const leafKeyUsages: readonly KeyUsage[] = ["digital signature", "key encipherment"];
const serialNumberBytes = 16;

/** A self-signed authority, with what kubeadm's have in it. `key` must be private. */
export function createCertificateAuthority(
  options: Omit<CertificateOptions, "extendedKeyUsages" | "isCa">,
): CertificateAuthority {
  const certificate = build(
    {
      keyUsages: caKeyUsages,
      altNames: { dnsNames: [options.subject.commonName] },
      ...options,
      isCa: true,
    },
    { name: derName(options.subject), privateKey: options.key },
  );
  return { certificate, privateKey: options.key };
}

/** A certificate that the authority vouches for. */
export function issueCertificate(
  authority: CertificateAuthority,
  options: CertificateOptions,
): Certificate {
  const { certificate, privateKey } = authority;
  const issuer = {
    name: certificate.subjectDer,
    privateKey,
    ...(certificate.subjectKeyId === undefined ? {} : { keyId: certificate.subjectKeyId }),
  };
  const keyUsages = options.isCa ? caKeyUsages : leafKeyUsages;
  return build({ keyUsages, ...options }, issuer);
}

interface Issuer {
  readonly name: Uint8Array;
  readonly privateKey: KeyObject;
  readonly keyId?: Uint8Array;
}

function build(options: CertificateOptions, issuer: Issuer): Certificate {
  const publicKeyInfo = publicKeyDer(options.key);
  const algorithm = signatureAlgorithm(issuer.privateKey);
  const serialNumber = Uint8Array.from(options.random.bytes(serialNumberBytes));
  // Positive and of full length.
  serialNumber[0] = ((serialNumber[0] ?? 0) & 0x7f) | 0x40;
  const toBeSigned = derSequence(
    derContext(0, derInteger(Buffer.from([2]))),
    derInteger(serialNumber),
    algorithm.der,
    issuer.name,
    derSequence(derTime(options.notBeforeMs), derTime(options.notAfterMs)),
    derName(options.subject),
    publicKeyInfo,
    derContext(3, derSequence(...extensions(options, publicKeyInfo, issuer.keyId))),
  );
  const signature = derBitString(sign(algorithm.hash, toBeSigned, issuer.privateKey));
  return parseCertificate(derSequence(toBeSigned, algorithm.der, signature));
}

function extensions(
  options: CertificateOptions,
  publicKeyInfo: Uint8Array,
  authorityKeyId: Uint8Array | undefined,
): Uint8Array[] {
  const { keyUsages = [], extendedKeyUsages = [], altNames = {}, isCa = false } = options;
  const list: Uint8Array[] = [];
  if (keyUsages.length > 0) {
    list.push(derExtension(extensionOids.keyUsage, true, derKeyUsage(keyUsages)));
  }
  if (extendedKeyUsages.length > 0) {
    const value = derExtendedKeyUsage(extendedKeyUsages);
    list.push(derExtension(extensionOids.extendedKeyUsage, false, value));
  }
  const basic = derSequence(...(isCa ? [derBoolean(true)] : []));
  list.push(derExtension(extensionOids.basicConstraints, true, basic));
  if (isCa) {
    const value = derOctetString(keyId(publicKeyInfo));
    list.push(derExtension(extensionOids.subjectKeyId, false, value));
  }
  if (authorityKeyId !== undefined) {
    const value = derSequence(derContextPrimitive(0, authorityKeyId));
    list.push(derExtension(extensionOids.authorityKeyId, false, value));
  }
  if (Object.values(altNames).some((names) => names.length > 0)) {
    // A certificate without a subject must mark its other names critical (RFC 5280, 4.2.1.6).
    const critical = options.subject.commonName === "";
    const value = derSubjectAltNames(altNames);
    list.push(derExtension(extensionOids.subjectAltName, critical, value));
  }
  return list;
}

export function publicKeyDer(key: KeyObject): Uint8Array {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

export interface SignatureAlgorithm {
  readonly der: Uint8Array;
  /** Null where the algorithm fixes it. */
  readonly hash: "sha256" | "sha384" | null;
}

export function signatureAlgorithm(privateKey: KeyObject): SignatureAlgorithm {
  const curve = privateKey.asymmetricKeyDetails?.namedCurve;
  switch (privateKey.asymmetricKeyType) {
    case "ec":
      return curve === "secp384r1"
        ? { der: derSequence(derOid("1.2.840.10045.4.3.3")), hash: "sha384" }
        : { der: derSequence(derOid("1.2.840.10045.4.3.2")), hash: "sha256" };
    case "rsa":
      return { der: derSequence(derOid("1.2.840.113549.1.1.11"), derNull()), hash: "sha256" };
    case "ed25519":
      return { der: derSequence(derOid("1.3.101.112")), hash: null };
    default:
      throw new TypeError(`cannot sign with a key of type ${privateKey.asymmetricKeyType}`);
  }
}

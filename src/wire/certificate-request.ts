import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { publicKeyDer, signatureAlgorithm } from "./certificate-authority.ts";
import {
  derBitString,
  derChildren,
  derContext,
  DerError,
  derInteger,
  derOid,
  derSequence,
  derSet,
  readBits,
  readDer,
  readOid,
  tags,
  type DerNode,
} from "./der.ts";
import { parsePem, writePem } from "./pem.ts";
import {
  derExtension,
  derSubjectAltNames,
  extensionOids,
  noSubjectAltNames,
  readExtensions,
  readSubjectAltNames,
  type SubjectAltNames,
} from "./x509-extensions.ts";
import { derName, readName, type DistinguishedName, type NameOptions } from "./x509-name.ts";

/** A PKCS #10 request, as `spec.request` of a CertificateSigningRequest carries it. */
export interface CertificateRequest {
  readonly subject: DistinguishedName;
  readonly publicKey: KeyObject;
  readonly altNames: SubjectAltNames;
  /** Whether the requester holds the key. */
  isSignatureValid(): boolean;
}

/** The PKCS #9 attribute that holds extensions. */
const extensionRequestOid = "1.2.840.113549.1.9.14";
const pemType = "CERTIFICATE REQUEST";

/** What signs the request, by the OID of its algorithm. */
const hashes = new Map<string, "sha256" | "sha384" | "sha512" | null>([
  ["1.2.840.113549.1.1.11", "sha256"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.2.840.10045.4.3.2", "sha256"],
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
  ["1.3.101.112", null],
]);

export function createCertificateRequest(options: {
  readonly subject: NameOptions;
  readonly privateKey: KeyObject;
  readonly altNames?: Partial<SubjectAltNames>;
}): Uint8Array {
  const { altNames = {}, privateKey } = options;
  const attributes: Uint8Array[] = [];
  if (Object.values(altNames).some((names) => names.length > 0)) {
    const value = derSubjectAltNames(altNames);
    const wanted = derSequence(derExtension(extensionOids.subjectAltName, false, value));
    attributes.push(derSequence(derOid(extensionRequestOid), derSet(wanted)));
  }
  const info = derSequence(
    derInteger(Buffer.from([0])),
    derName(options.subject),
    publicKeyDer(privateKey),
    derContext(0, ...attributes),
  );
  const algorithm = signatureAlgorithm(privateKey);
  const signature = derBitString(sign(algorithm.hash, info, privateKey));
  return derSequence(info, algorithm.der, signature);
}

export function certificateRequestPem(der: Uint8Array): string {
  return writePem(pemType, der);
}

/** Throws `DerError` when the text holds no request. */
export function parseCertificateRequestPem(pem: string): CertificateRequest {
  const [block] = parsePem(pem);
  if (block?.type !== pemType) throw new DerError("PEM block type must be CERTIFICATE REQUEST");
  return parseCertificateRequest(block.bytes);
}

export function parseCertificateRequest(der: Uint8Array): CertificateRequest {
  const [info, algorithm, signature] = derChildren(readDer(der), tags.sequence);
  if (!info || !algorithm || !signature) throw new DerError("not a certificate request");
  const [, name, publicKeyInfo, attributes] = derChildren(info, tags.sequence);
  if (!name || !publicKeyInfo) throw new DerError("not a certificate request");
  const publicKey = readPublicKey(publicKeyInfo.bytes);
  return {
    subject: readName(name),
    publicKey,
    altNames: requestedAltNames(attributes),
    isSignatureValid() {
      const [oid] = derChildren(algorithm, tags.sequence);
      const hash = oid === undefined ? undefined : hashes.get(readOid(oid));
      if (hash === undefined) return false;
      return verify(hash, info.bytes, publicKey, readBits(signature).bytes);
    },
  };
}

function readPublicKey(der: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  } catch (error) {
    throw new DerError("unsupported public key", { cause: error });
  }
}

function requestedAltNames(attributes: DerNode | undefined): SubjectAltNames {
  for (const attribute of attributes === undefined ? [] : derChildren(attributes)) {
    const [oid, values] = derChildren(attribute, tags.sequence);
    if (!oid || !values || readOid(oid) !== extensionRequestOid) continue;
    const [list] = derChildren(values, tags.set);
    const value = list && readExtensions(list).get(extensionOids.subjectAltName);
    if (value !== undefined) return readSubjectAltNames(value);
  }
  return noSubjectAltNames;
}

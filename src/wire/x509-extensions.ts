import {
  derBitString,
  derBoolean,
  derChildren,
  derContextPrimitive,
  DerError,
  derOctetString,
  derOid,
  derSequence,
  readBits,
  readDer,
  readOid,
  tags,
  type DerNode,
} from "./der.ts";
import { formatIp, parseIp } from "./ip-address.ts";

/** Bit positions of the KeyUsage extension, by the names of `certificates.k8s.io` usages. */
const keyUsageBits = {
  "digital signature": 0,
  "content commitment": 1,
  "key encipherment": 2,
  "data encipherment": 3,
  "key agreement": 4,
  "cert sign": 5,
  "crl sign": 6,
  "encipher only": 7,
  "decipher only": 8,
} as const;

const extendedKeyUsageOids = {
  any: "2.5.29.37.0",
  "server auth": "1.3.6.1.5.5.7.3.1",
  "client auth": "1.3.6.1.5.5.7.3.2",
  "code signing": "1.3.6.1.5.5.7.3.3",
  "email protection": "1.3.6.1.5.5.7.3.4",
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  "ocsp signing": "1.3.6.1.5.5.7.3.9",
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
} as const;

/** Names as `spec.usages` of a CertificateSigningRequest spells them. */
export type KeyUsage = keyof typeof keyUsageBits;
export type ExtendedKeyUsage = keyof typeof extendedKeyUsageOids;

export const extensionOids = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

export interface SubjectAltNames {
  readonly dnsNames: readonly string[];
  /** Canonical text. */
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

export const noSubjectAltNames: SubjectAltNames = {
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
};

export function derExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [derBoolean(true)] : [];
  return derSequence(derOid(oid), ...flag, derOctetString(value));
}

export function derKeyUsage(usages: readonly KeyUsage[]): Uint8Array {
  let bits = 0;
  let last = 0;
  for (const usage of usages) {
    bits |= 0x8000 >> keyUsageBits[usage];
    last = Math.max(last, keyUsageBits[usage]);
  }
  const bytes = last < 8 ? [bits >> 8] : [bits >> 8, bits & 0xff];
  return derBitString(Buffer.from(bytes), 7 - (last & 7));
}

export function readKeyUsage(value: Uint8Array): KeyUsage[] {
  const bits = readBits(readDer(value));
  return names(keyUsageBits).filter((usage) => bits.has(keyUsageBits[usage]));
}

export function derExtendedKeyUsage(usages: readonly ExtendedKeyUsage[]): Uint8Array {
  return derSequence(...usages.map((usage) => derOid(extendedKeyUsageOids[usage])));
}

/** Usages that we do not know are left out. */
export function readExtendedKeyUsage(value: Uint8Array): ExtendedKeyUsage[] {
  const oids = derChildren(readDer(value), tags.sequence).map(readOid);
  return names(extendedKeyUsageOids).filter((usage) => oids.includes(extendedKeyUsageOids[usage]));
}

function names<Key extends string>(table: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(table) as Key[];
}

const generalNames = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

/** Throws `DerError` for an IP address that is none. */
export function derSubjectAltNames(altNames: Partial<SubjectAltNames>): Uint8Array {
  const text = (number: number, value: string): Uint8Array =>
    derContextPrimitive(number, Buffer.from(value));
  return derSequence(
    ...(altNames.dnsNames ?? []).map((name) => text(generalNames.dns, name)),
    ...(altNames.emailAddresses ?? []).map((email) => text(generalNames.email, email)),
    ...(altNames.ipAddresses ?? []).map((address) => {
      const bytes = parseIp(address);
      if (bytes === undefined) throw new DerError(`not an IP address: ${JSON.stringify(address)}`);
      return derContextPrimitive(generalNames.ip, bytes);
    }),
    ...(altNames.uris ?? []).map((uri) => text(generalNames.uri, uri)),
  );
}

export function readSubjectAltNames(value: Uint8Array): SubjectAltNames {
  const nodes = derChildren(readDer(value), tags.sequence);
  const texts = (number: number): string[] =>
    nodes
      .filter((node) => node.tag === (0x80 | number))
      .map((node) => Buffer.from(node.content).toString("latin1"));
  return {
    dnsNames: texts(generalNames.dns),
    emailAddresses: texts(generalNames.email),
    uris: texts(generalNames.uri),
    ipAddresses: nodes.filter((node) => node.tag === (0x80 | generalNames.ip)).map(ipText),
  };
}

function ipText(node: DerNode): string {
  if (node.content.length !== 4 && node.content.length !== 16) throw new DerError("bad IP address");
  return formatIp(node.content);
}

/** The values of the extensions in an `Extensions` sequence, by OID. */
export function readExtensions(node: DerNode): Map<string, Uint8Array> {
  const values = new Map<string, Uint8Array>();
  for (const extension of derChildren(node, tags.sequence)) {
    const parts = derChildren(extension, tags.sequence);
    const [oid] = parts;
    const value = parts.at(-1);
    if (oid === undefined || value?.tag !== tags.octetString) throw new DerError("bad extension");
    values.set(readOid(oid), value.content);
  }
  return values;
}

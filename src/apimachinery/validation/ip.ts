import { invalid } from "../field-error.ts";
import type { Findings } from "./checks.ts";

/**
 * IP addresses and CIDRs as Go parses and prints them. Legacy fields take leading zeros and
 * IPv4-mapped addresses; new ones must be canonical.
 * Source: apimachinery/pkg/util/validation/ip.go, k8s.io/utils/net, Go's net and net/netip.
 */
export interface IpAddress {
  /** 4 or 16 bytes, as one number. */
  readonly value: bigint;
  readonly version: 4 | 6;
  /** Written as `::ffff:1.2.3.4`. */
  readonly mapped: boolean;
  /** An octet had leading zeros. */
  readonly leadingZeros: boolean;
}

export interface Cidr {
  /** With the bits beyond the prefix cleared. */
  readonly network: bigint;
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly version: 4 | 6;
  readonly leadingZeros: boolean;
}

/** Undefined when the text is no address. Leading zeros are decimal; zones are refused. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(":")) return parseIpv4(text);
  const value = parseIpv6(text);
  if (value === undefined) return undefined;
  if (value >> 32n === 0xffffn) {
    return { value: value & 0xffffffffn, version: 4, mapped: true, leadingZeros: false };
  }
  return { value, version: 6, mapped: false, leadingZeros: false };
}

function parseIpv4(text: string): IpAddress | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let value = 0n;
  let leadingZeros = false;
  for (const octet of octets) {
    if (!/^\d+$/.test(octet) || Number(octet) > 255) return undefined;
    leadingZeros ||= octet.length > 1 && octet.startsWith("0");
    value = (value << 8n) | BigInt(octet);
  }
  return { value, version: 4, mapped: false, leadingZeros };
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Groups of 16 bits; the last may be an IPv4 address, which is two. */
function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (part.includes(".")) {
      const ipv4 = mayEndInIpv4 && i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (ipv4 === undefined || ipv4.leadingZeros) return undefined;
      groups.push(Number(ipv4.value >> 16n), Number(ipv4.value & 0xffffn));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** As Go prints it: RFC 5952; mapped addresses as IPv4. */
export function formatIp({ value, version }: Pick<IpAddress, "value" | "version">): string {
  if (version === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((value >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  }
  return best;
}

/** Undefined when the text is no CIDR. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const prefix = text.slice(slash + 1);
  if (slash < 0 || !/^\d+$/.test(prefix)) return undefined;
  const address = parseIp(text.slice(0, slash));
  if (address === undefined) return undefined;
  const written = Number(prefix);
  const width = address.version === 4 ? 32 : 128;
  const prefixLength = address.mapped ? written - 96 : written;
  if (written > (address.mapped ? 128 : width) || prefixLength < 0) return undefined;
  const hostBits = BigInt(width - prefixLength);
  return {
    network: (address.value >> hostBits) << hostBits,
    address,
    prefixLength,
    version: address.version,
    leadingZeros: address.leadingZeros || (prefix.length > 1 && prefix.startsWith("0")),
  };
}

export function formatCidr({ network, version, prefixLength }: Cidr): string {
  return `${formatIp({ value: network, version })}/${prefixLength}`;
}

export function cidrContains(cidr: Cidr, address: IpAddress): boolean {
  if (cidr.version !== address.version) return false;
  const hostBits = BigInt((cidr.version === 4 ? 32 : 128) - cidr.prefixLength);
  return address.value >> hostBits === cidr.network >> hostBits;
}

const invalidIpText = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const invalidCidrText = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

function ipFault(address: IpAddress | undefined): string | undefined {
  if (address === undefined) return invalidIpText;
  if (address.leadingZeros) return "must not have leading 0s";
  return address.mapped ? "must not be an IPv4-mapped IPv6 address" : undefined;
}

function cidrFault(cidr: Cidr | undefined): string | undefined {
  if (cidr === undefined) return invalidCidrText;
  if (cidr.leadingZeros) return "must not have leading 0s in IP or prefix length";
  if (cidr.address.mapped) return "must not have an IPv4-mapped IPv6 address";
  const masked = cidr.network === cidr.address.value;
  return masked ? undefined : "must not have bits set beyond the prefix length";
}

/** An address in the canonical form. */
export function* validateIp(value: string, path: string): Findings {
  const address = parseIp(value);
  const fault = ipFault(address);
  if (fault !== undefined) yield invalid(path, value, fault);
  else if (address !== undefined && formatIp(address) !== value) {
    yield invalid(path, value, `must be in canonical form ("${formatIp(address)}")`);
  }
}

/** Fields that predate strict checking: any form, and what the old object had already. */
export function* validateLegacyIp(
  value: string,
  path: string,
  oldValues: readonly string[] = [],
): Findings {
  if (oldValues.includes(value)) return;
  const fault = ipFault(parseIp(value));
  if (fault !== undefined) yield invalid(path, value, fault);
}

/** A network in the canonical form. */
export function* validateCidr(value: string, path: string): Findings {
  const cidr = parseCidr(value);
  const fault = cidrFault(cidr);
  if (fault !== undefined) yield invalid(path, value, fault);
  else if (cidr !== undefined && formatCidr(cidr) !== value) {
    yield invalid(path, value, `must be in canonical form ("${formatCidr(cidr)}")`);
  }
}

export function* validateLegacyCidr(
  value: string,
  path: string,
  oldValues: readonly string[] = [],
): Findings {
  if (oldValues.includes(value)) return;
  const fault = cidrFault(parseCidr(value));
  if (fault !== undefined) yield invalid(path, value, fault);
}

/** Warnings for what `validateLegacyIp` takes and `validateIp` would not. */
export function ipWarnings(value: string, path: string): string[] {
  const address = parseIp(value);
  if (address === undefined) return [];
  const canonical = formatIp(address);
  if (address.leadingZeros || address.mapped) {
    return [`${path}: non-standard IP address "${value}" is invalid: use "${canonical}"`];
  }
  if (address.version === 4 || canonical === value) return [];
  return [
    `${path}: IPv6 address "${value}" should be in RFC 5952 canonical format ("${canonical}")`,
  ];
}

export function cidrWarnings(value: string, path: string): string[] {
  const cidr = parseCidr(value);
  if (cidr === undefined) return [];
  const warnings: string[] = [];
  const canonical = formatCidr(cidr);
  if (cidr.network !== cidr.address.value) {
    const single = `${formatIp(cidr.address)}/${cidr.version === 4 ? 32 : 128}`;
    warnings.push(
      `${path}: CIDR value "${value}" is ambiguous in this context (should be "${canonical}" or "${single}"?)`,
    );
  }
  if (cidr.leadingZeros || cidr.address.mapped) {
    warnings.push(`${path}: non-standard CIDR value "${value}" is invalid: use "${canonical}"`);
  }
  if (warnings.length === 0 && cidr.version === 6 && canonical !== value) {
    warnings.push(
      `${path}: IPv6 CIDR value "${value}" should be in RFC 5952 canonical format ("${canonical}")`,
    );
  }
  return warnings;
}

const loopback4 = 127n;
const loopback6 = 1n;

/** Addresses that no endpoint outside a node can have. */
export function* validateNonSpecialIp(text: string, path: string): Findings {
  const address = parseIp(text);
  if (address === undefined) {
    yield invalid(path, text, "must be a valid IP address");
    return;
  }
  const { value, version } = address;
  const six = version === 6;
  if (value === 0n) yield invalid(path, text, `may not be unspecified (${text})`);
  if (six ? value === loopback6 : value >> 24n === loopback4) {
    yield invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if (six ? value >> 118n === 0xfe80n >> 6n : value >> 16n === 0xa9fen) {
    yield invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (six ? ((value >> 112n) & 0xff0fn) === 0xff02n : value >> 8n === 0xe00000n) {
    const detail = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
    yield invalid(path, text, detail);
  }
}

/** One address of each family. */
export function isDualStack(texts: readonly string[]): boolean {
  const versions = new Set(texts.map((text) => parseIp(text)?.version));
  return versions.has(4) && versions.has(6);
}

export function isDualStackCidrs(texts: readonly string[]): boolean {
  const versions = new Set(texts.map((text) => parseCidr(text)?.version));
  return versions.has(4) && versions.has(6);
}

export function isIpv6(text: string): boolean {
  return parseIp(text)?.version === 6;
}

/** Dotted: an IPv4 address inside an IPv6 one does not count. */
export function isIpv4(text: string): boolean {
  return parseIpv4(text) !== undefined;
}

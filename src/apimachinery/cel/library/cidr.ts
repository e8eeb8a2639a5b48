import { defineLibrary } from "../declaration.ts";
import { opaqueType, type CelType } from "../types.ts";
import { CelError, CelOpaque, type CelValue } from "../value.ts";
import {
  formatIpAddress,
  IpParseError,
  isIpv4Mapped,
  maskIpAddress,
  parseIpAddress,
  sameIpAddress,
  type IpAddress,
} from "./ip-address.ts";
import { ipType, IpValue, parseIp, parses } from "./ip.ts";

export const cidrType: CelType = opaqueType("net.CIDR");

export class CidrValue extends CelOpaque {
  readonly address: IpAddress;
  readonly bits: number;

  constructor(address: IpAddress, bits: number) {
    super();
    this.address = address;
    this.bits = bits;
  }

  get type(): CelType {
    return cidrType;
  }

  override get size(): number {
    return Math.ceil(this.bits / 8);
  }

  equals(other: CelValue): boolean {
    if (!(other instanceof CidrValue)) return false;
    return other.bits === this.bits && sameIpAddress(this.address, other.address);
  }
}

const parseErrorPrefix = "network address parse error during conversion from string: ";

export function parseCidr(text: string): CidrValue {
  const failure = (message: string): CelError => {
    const quoted = JSON.stringify(text);
    return new CelError(
      `${parseErrorPrefix}${parseErrorPrefix}netip.ParsePrefix(${quoted}): ${message}`,
    );
  };
  const slash = text.lastIndexOf("/");
  if (slash === -1) throw failure("no '/'");
  const address = prefixAddress(text.slice(0, slash), failure);
  const bitsText = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d*)$/.test(bitsText)) {
    throw failure(`bad bits after slash: ${JSON.stringify(bitsText)}`);
  }
  const bits = Number(bitsText);
  if (bits > address.bytes.length * 8) throw failure("prefix length out of range");
  if (isIpv4Mapped(address)) {
    throw new CelError(
      `${parseErrorPrefix}IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`,
    );
  }
  return new CidrValue(address, bits);
}

function prefixAddress(text: string, failure: (message: string) => CelError): IpAddress {
  try {
    const { bytes, zone } = parseIpAddress(text);
    if (zone !== "") throw failure("IPv6 zones cannot be present in a prefix");
    return { bytes };
  } catch (thrown) {
    throw thrown instanceof IpParseError ? failure(thrown.message) : thrown;
  }
}

function containsIp(cidr: CidrValue, { address }: IpValue): boolean {
  if (address.bytes.length !== cidr.address.bytes.length) return false;
  const masked = maskIpAddress(cidr.address, cidr.bits);
  return sameIpAddress(maskIpAddress(address, cidr.bits), masked);
}

function containsCidr(cidr: CidrValue, other: CidrValue): boolean {
  return cidr.bits <= other.bits && containsIp(cidr, new IpValue(other.address));
}

/** Source: pkg/cel/library/cidr.go. */
export const cidrLibrary = defineLibrary({
  name: "net.cidr",
  types: [cidrType, ipType],
  rows: [
    ["string_to_cidr", "cidr(string) -> net.CIDR", parseCidr],
    [
      "cidr_contains_ip_string",
      "(net.CIDR).containsIP(string) -> bool",
      (cidr: CidrValue, text: string) => containsIp(cidr, parseIp(text)),
    ],
    ["cidr_contains_ip_ip", "(net.CIDR).containsIP(net.IP) -> bool", containsIp],
    [
      "cidr_contains_cidr_string",
      "(net.CIDR).containsCIDR(string) -> bool",
      (cidr: CidrValue, text: string) => containsCidr(cidr, parseCidr(text)),
    ],
    ["cidr_contains_cidr", "(net.CIDR).containsCIDR(net.CIDR) -> bool", containsCidr],
    ["cidr_ip", "(net.CIDR).ip() -> net.IP", (cidr: CidrValue) => new IpValue(cidr.address)],
    [
      "cidr_prefix_length",
      "(net.CIDR).prefixLength() -> int",
      (cidr: CidrValue) => BigInt(cidr.bits),
    ],
    [
      "cidr_masked",
      "(net.CIDR).masked() -> net.CIDR",
      (cidr: CidrValue) => new CidrValue(maskIpAddress(cidr.address, cidr.bits), cidr.bits),
    ],
    ["is_cidr", "isCIDR(string) -> bool", parses(parseCidr)],
    [
      "cidr_to_string",
      "string(net.CIDR) -> string",
      (cidr: CidrValue) => `${formatIpAddress(cidr.address)}/${cidr.bits}`,
    ],
  ],
});

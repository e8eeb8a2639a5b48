import { defineLibrary } from "../declaration.ts";
import { opaqueType, type CelType } from "../types.ts";
import { CelError, CelOpaque, type CelValue } from "../value.ts";
import {
  formatIpAddress,
  IpParseError,
  isIpv4Mapped,
  parseIpAddress,
  sameIpAddress,
  type IpAddress,
} from "./ip-address.ts";

export const ipType: CelType = opaqueType("net.IP");

export class IpValue extends CelOpaque {
  readonly address: IpAddress;

  constructor(address: IpAddress) {
    super();
    this.address = address;
  }

  get type(): CelType {
    return ipType;
  }

  override get size(): number {
    return this.address.bytes.length;
  }

  equals(other: CelValue): boolean {
    return other instanceof IpValue && sameIpAddress(this.address, other.address);
  }
}

/** Reads an address; zones and IPv4-mapped ones are refused. */
export function parseIp(text: string): IpValue {
  const parsed = parseAddress(text);
  if (parsed.zone !== "") {
    throw new CelError(`IP address ${JSON.stringify(text)} with zone value is not allowed`);
  }
  if (isIpv4Mapped(parsed)) {
    throw new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
  }
  return new IpValue({ bytes: parsed.bytes });
}

function parseAddress(text: string): ReturnType<typeof parseIpAddress> {
  try {
    return parseIpAddress(text);
  } catch (thrown) {
    if (!(thrown instanceof IpParseError)) throw thrown;
    throw new CelError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ${thrown.message}`,
    );
  }
}

/** Whether `parse` takes the text. */
export function parses(parse: (text: string) => CelValue): (text: string) => boolean {
  return (text) => {
    try {
      parse(text);
      return true;
    } catch (thrown) {
      if (thrown instanceof CelError) return false;
      throw thrown;
    }
  };
}

function startsWith(ip: IpValue, v4: (a: number, b: number) => boolean, v6: typeof v4): boolean {
  const { bytes } = ip.address;
  const [a = 0, b = 0] = bytes;
  return bytes.length === 4 ? v4(a, b) : v6(a, b);
}

function isAll(ip: IpValue, last: number): boolean {
  const { bytes } = ip.address;
  return bytes.every((byte, i) => byte === (i === bytes.length - 1 ? last : 0));
}

function isUnspecified(ip: IpValue): boolean {
  return isAll(ip, 0);
}

function isLoopback(ip: IpValue): boolean {
  return startsWith(
    ip,
    (a) => a === 127,
    () => isAll(ip, 1),
  );
}

function isMulticast(ip: IpValue): boolean {
  return startsWith(
    ip,
    (a) => (a & 0xf0) === 0xe0,
    (a) => a === 0xff,
  );
}

function isLinkLocalMulticast(ip: IpValue): boolean {
  const third = ip.address.bytes[2];
  return startsWith(
    ip,
    (a, b) => a === 224 && b === 0 && third === 0,
    (a, b) => a === 0xff && (b & 0x0f) === 0x02,
  );
}

function isLinkLocalUnicast(ip: IpValue): boolean {
  return startsWith(
    ip,
    (a, b) => a === 169 && b === 254,
    (a, b) => a === 0xfe && (b & 0xc0) === 0x80,
  );
}

function isBroadcast(ip: IpValue): boolean {
  const { bytes } = ip.address;
  return bytes.length === 4 && bytes.every((byte) => byte === 255);
}

function isGlobalUnicast(ip: IpValue): boolean {
  if (isUnspecified(ip) || isBroadcast(ip) || isLoopback(ip)) return false;
  return !isMulticast(ip) && !isLinkLocalUnicast(ip);
}

/** Source: pkg/cel/library/ip.go. */
export const ipLibrary = defineLibrary({
  name: "net.ip",
  types: [ipType],
  rows: [
    ["string_to_ip", "ip(string) -> net.IP", parseIp],
    ["ip_family", "(net.IP).family() -> int", (ip: IpValue) => (ip.size === 4 ? 4n : 6n)],
    [
      "ip_is_canonical",
      "ip.isCanonical(string) -> bool",
      (text: string) => formatIpAddress(parseIp(text).address) === text,
    ],
    ["ip_is_unspecified", "(net.IP).isUnspecified() -> bool", isUnspecified],
    ["ip_is_loopback", "(net.IP).isLoopback() -> bool", isLoopback],
    ["ip_is_link_local_multicast", "(net.IP).isLinkLocalMulticast() -> bool", isLinkLocalMulticast],
    ["ip_is_link_local_unicast", "(net.IP).isLinkLocalUnicast() -> bool", isLinkLocalUnicast],
    ["ip_is_global_unicast", "(net.IP).isGlobalUnicast() -> bool", isGlobalUnicast],
    ["is_ip", "isIP(string) -> bool", parses(parseIp)],
    ["ip_to_string", "string(net.IP) -> string", (ip: IpValue) => formatIpAddress(ip.address)],
  ],
});

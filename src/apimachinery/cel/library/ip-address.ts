/** An IPv4 or IPv6 address without zone. */
export interface IpAddress {
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
}

/** Why text is no address, as Go's net/netip says it. */
export class IpParseError extends Error {
  override readonly name = "IpParseError";
}

function failure(text: string, message: string, at?: string): IpParseError {
  const place = at === undefined ? "" : ` (at ${JSON.stringify(at)})`;
  return new IpParseError(`ParseAddr(${JSON.stringify(text)}): ${message}${place}`);
}

export type ParsedIp = IpAddress & { readonly zone: string };

/** Reads an address as netip.ParseAddr does; throws `IpParseError`. */
export function parseIpAddress(text: string): ParsedIp {
  for (const character of text) {
    if (character === ".") return { bytes: parseIpv4(text, text), zone: "" };
    if (character === ":") return parseIpv6(text);
    if (character === "%") throw failure(text, "missing IPv6 address");
  }
  throw failure(text, "unable to parse IP");
}

function parseIpv4(part: string, whole: string): Uint8Array {
  const bytes: number[] = [];
  let value = 0;
  let digits = 0;
  for (let i = 0; i < part.length; i++) {
    const character = part[i] ?? "";
    if (/[0-9]/.test(character)) {
      if (digits === 1 && value === 0) {
        throw failure(whole, "IPv4 field has octet with leading zero");
      }
      value = value * 10 + Number(character);
      digits++;
      if (value > 255) throw failure(whole, "IPv4 field has value >255");
    } else if (character === ".") {
      if (i === 0 || i === part.length - 1 || part[i - 1] === ".") {
        throw failure(whole, "IPv4 field must have at least one digit", part.slice(i));
      }
      if (bytes.length === 3) throw failure(whole, "IPv4 address too long");
      bytes.push(value);
      value = 0;
      digits = 0;
    } else throw failure(whole, "unexpected character", part.slice(i));
  }
  if (bytes.length < 3) throw failure(whole, "IPv4 address too short");
  return Uint8Array.from([...bytes, value]);
}

function parseIpv6(text: string): ParsedIp {
  const percent = text.indexOf("%");
  const zone = percent === -1 ? "" : text.slice(percent + 1);
  if (percent !== -1 && zone === "") throw failure(text, "zone must be a non-empty string");
  let rest = percent === -1 ? text : text.slice(0, percent);
  const groups: number[] = [];
  let ellipsis = -1;
  if (rest.startsWith("::")) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === "") return { bytes: new Uint8Array(16), zone };
  }
  while (groups.length < 16) {
    const hex = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? "";
    if (hex.length > 4) {
      throw failure(text, "each group must have 4 or less digits", rest);
    }
    if (hex === "")
      throw failure(text, "each colon-separated field must have at least one digit", rest);
    if (rest[hex.length] === ".") {
      embedIpv4(groups, { text, rest, ellipsis });
      rest = "";
      break;
    }
    const value = Number.parseInt(hex, 16);
    groups.push(value >> 8, value & 0xff);
    rest = rest.slice(hex.length);
    if (rest === "") break;
    if (rest[0] !== ":") throw failure(text, "unexpected character, want colon", rest);
    if (rest.length === 1) throw failure(text, "colon must be followed by more characters", rest);
    rest = rest.slice(1);
    if (rest[0] === ":") {
      if (ellipsis >= 0) throw failure(text, "multiple :: in address", rest);
      ellipsis = groups.length;
      rest = rest.slice(1);
      if (rest === "") break;
    }
  }
  if (rest !== "") throw failure(text, "trailing garbage after address", rest);
  return { bytes: expand(groups, { ellipsis, text }), zone };
}

function embedIpv4(
  groups: number[],
  { text, rest, ellipsis }: { text: string; rest: string; ellipsis: number },
): void {
  if (ellipsis < 0 && groups.length !== 12) {
    throw failure(
      text,
      "embedded IPv4 address must replace the final 2 fields of the address",
      rest,
    );
  }
  if (groups.length + 4 > 16) {
    throw failure(
      text,
      "too many hex fields to fit an embedded IPv4 at the end of the address",
      rest,
    );
  }
  groups.push(...parseIpv4(rest, text));
}

function expand(
  groups: number[],
  { ellipsis, text }: { ellipsis: number; text: string },
): Uint8Array {
  const missing = 16 - groups.length;
  if (missing > 0) {
    if (ellipsis < 0) throw failure(text, "address string too short");
    groups.splice(ellipsis, 0, ...Array.from({ length: missing }, () => 0));
  } else if (ellipsis >= 0) {
    throw failure(text, "the :: must expand to at least one field of zeros");
  }
  return Uint8Array.from(groups);
}

/** Whether it is an IPv4 address written as IPv6, `::ffff:a.b.c.d`. */
export function isIpv4Mapped({ bytes }: IpAddress): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  return bytes.subarray(0, 10).every((byte) => byte === 0);
}

/** The canonical text: for IPv6 as RFC 5952 says. */
export function formatIpAddress({ bytes }: IpAddress): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  const zeros = longestZeros(groups);
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  if (zeros.length < 2) return hex(groups);
  return `${hex(groups.slice(0, zeros.start))}::${hex(groups.slice(zeros.start + zeros.length))}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** The address with all bits behind the first `bits` cleared. */
export function maskIpAddress({ bytes }: IpAddress, bits: number): IpAddress {
  return {
    bytes: bytes.map((byte, i) => {
      const kept = Math.min(8, Math.max(0, bits - i * 8));
      return byte & (0xff << (8 - kept)) & 0xff;
    }),
  };
}

export function sameIpAddress(a: IpAddress, b: IpAddress): boolean {
  return Buffer.compare(a.bytes, b.bytes) === 0;
}

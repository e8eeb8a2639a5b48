import { assert } from "#base/assert.ts";

/** A range of IPv4 Service addresses. */
export interface IpRange {
  readonly first: number;
  /** Addresses that may be given out: without network and broadcast address. */
  readonly size: number;
}

export function parseRange(cidr: string): IpRange {
  const [address = "", bits = ""] = cidr.split("/");
  const base = toNumber(address);
  const prefix = Number(bits);
  assert(base !== undefined && prefix >= 8 && prefix <= 30, `no IPv4 range: ${cidr}`);
  const count = 2 ** (32 - prefix);
  return { first: Math.floor(base / count) * count + 1, size: count - 2 };
}

/** Undefined for anything but a dotted quad without leading zeros. */
export function toNumber(address: string): number | undefined {
  const parts = address.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

export function contains(range: IpRange, address: string): boolean {
  const value = toNumber(address);
  return value !== undefined && value >= range.first && value < range.first + range.size;
}

/**
 * The lower part of a range is left to addresses that people choose. Source:
 * registry/core/service/ipallocator calculateRangeOffset: min(max(16, size/16), 256).
 */
export function staticBand({ size }: IpRange): number {
  return size < 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 16)), 256);
}

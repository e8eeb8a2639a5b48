import { parseRange, toAddress } from "#apiserver/services/ip-range.ts";

/** The address at a position of a range; 1 is the first that may be used. */
export function addressAt(cidr: string, position: number): string {
  return toAddress(parseRange(cidr).first + position - 1);
}

import { type Cidr, cidrContains, formatCidr, parseCidr } from "#apimachinery/validation/ip.ts";

/** Parts of one range, all of one size, each held by somebody or free. */
export interface PartSet {
  /** The next free part, or nothing when all are taken. Goes round: a part that was freed is used again last. */
  allocate(holder: string): string | undefined;
  /** Notes that somebody has what overlaps with parts of this range; others than parts of it are ignored. */
  occupy(cidr: string, holder: string): void;
  releaseAll(holder: string): void;
}

/** Source: pkg/controller/nodeipam/ipam/cidrset. Throws when the parts would be larger than the whole. */
export function createPartSet(cidr: string, maskSize: number): PartSet {
  const whole = parseCidr(cidr);
  if (whole === undefined || maskSize < whole.prefixLength) {
    throw new Error(`cannot divide ${cidr} into parts of /${maskSize}: it has none of that size`);
  }
  const bits = whole.version === 4 ? 32 : 128;
  const partSize = 1n << BigInt(bits - maskSize);
  const count = 1n << BigInt(maskSize - whole.prefixLength);
  const holders = new Map<bigint, string>();
  const held = new Map<string, Set<bigint>>();
  let next = 0n;

  function take(index: bigint, holder: string): void {
    if (holders.has(index)) return;
    holders.set(index, holder);
    const own = held.get(holder) ?? new Set();
    held.set(holder, own.add(index));
  }

  return {
    allocate(holder) {
      if (BigInt(holders.size) >= count) return undefined;
      while (holders.has(next)) next = (next + 1n) % count;
      const index = next;
      next = (next + 1n) % count;
      take(index, holder);
      const network = whole.network + index * partSize;
      return formatCidr({ ...whole, network, prefixLength: maskSize });
    },
    occupy(text, holder) {
      const other = parseCidr(text);
      if (other === undefined || !overlaps(whole, other)) return;
      const size = 1n << BigInt(bits - other.prefixLength);
      const first = max(other.network, whole.network) - whole.network;
      const last = min(other.network + size, whole.network + count * partSize) - 1n - whole.network;
      for (let index = first / partSize; index <= last / partSize; index++) take(index, holder);
    },
    releaseAll(holder) {
      for (const index of held.get(holder) ?? []) holders.delete(index);
      held.delete(holder);
    },
  };
}

function overlaps(a: Cidr, b: Cidr): boolean {
  return cidrContains(a, { ...b.address, value: b.network }) || cidrContains(b, { ...a.address, value: a.network });
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

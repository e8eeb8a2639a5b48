/** One that gets a share: as much as `target` in proportion to others, within bounds. */
export interface Claim {
  readonly target: number;
  readonly lower: number;
  readonly upper: number;
}

export interface Allocation {
  /** In the order of the claims; sums to what was given out. */
  readonly amounts: readonly number[];
  /** What part of its target each claim got that met no bound. */
  readonly fairFraction: number;
}

/** A smaller target counts as this. Source: conc_alloc.go MinTarget. */
const targetMin = 0.001;

/**
 * Gives out `total` by one fraction for all: each gets `fraction * target`, or its bound where that
 * lies outside. Undefined when the bounds allow no such sum.
 * Source: what computeConcurrencyAllocation in flowcontrol/conc_alloc.go promises.
 */
export function allocate(total: number, claims: readonly Claim[]): Allocation | undefined {
  const targets = claims.map(({ target }) => Math.max(target, targetMin));
  const amountsAt = (fraction: number): number[] =>
    claims.map(({ lower, upper }, i) => Math.max(lower, Math.min(upper, fraction * (targets[i] as number))));
  const sumAt = (fraction: number): number => amountsAt(fraction).reduce((sum, amount) => sum + amount, 0);

  // The sum grows with the fraction, and is straight between the fractions at which a bound is met.
  const corners = claims
    .flatMap(({ lower, upper }, i) => [lower / (targets[i] as number), upper / (targets[i] as number)])
    .sort((a, b) => a - b);
  const tolerance = 1e-7;
  let from = corners[0] ?? 0;
  let fromSum = sumAt(from);
  if (fromSum > total + tolerance) return undefined;
  for (const to of corners) {
    const toSum = sumAt(to);
    if (toSum >= total - tolerance) {
      const rise = toSum - fromSum;
      const fraction = rise > 0 ? from + ((total - fromSum) / rise) * (to - from) : to;
      return { amounts: amountsAt(fraction), fairFraction: fraction };
    }
    from = to;
    fromSum = toSum;
  }
  return undefined;
}

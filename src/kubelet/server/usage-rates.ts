/** CPU rates from counters, between one look and the next: nothing samples in between. */

export interface CpuSample {
  readonly timeMs: number;
  readonly usageCoreNanoSeconds: number;
}

export interface UsageRates {
  /**
   * Takes the counters of everything that there is now, by key. Gives the rates in nanocores; a
   * key has none at its first look, or when its counter went back. What is not told of is forgotten.
   */
  look(samples: ReadonlyMap<string, CpuSample>): ReadonlyMap<string, number>;
}

/** Looks that follow each other faster keep the rate of before. Source: cadvisor's shortest interval. */
const intervalMinMs = 1_000;

interface Known {
  readonly sample: CpuSample;
  readonly rate: number | undefined;
}

export function createUsageRates(): UsageRates {
  let known = new Map<string, Known>();
  return {
    look(samples) {
      const next = new Map<string, Known>();
      for (const [key, sample] of samples) next.set(key, follow(known.get(key), sample));
      known = next;
      const rates = new Map<string, number>();
      for (const [key, { rate }] of next) if (rate !== undefined) rates.set(key, rate);
      return rates;
    },
  };
}

function follow(before: Known | undefined, sample: CpuSample): Known {
  if (before === undefined) return { sample, rate: undefined };
  const elapsedMs = sample.timeMs - before.sample.timeMs;
  const used = sample.usageCoreNanoSeconds - before.sample.usageCoreNanoSeconds;
  if (used < 0) return { sample, rate: undefined };
  if (elapsedMs < intervalMinMs) return before;
  return { sample, rate: Math.round((used / elapsedMs) * 1000) };
}

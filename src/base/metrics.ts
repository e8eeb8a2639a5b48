/**
 * Metrics in memory; `metrics-text.ts` prints them.
 *
 * Invariants: 1. Asking twice for a name gives the same family. 2. A cell stays valid after its
 * series was removed; it is just no longer printed. 3. A family holds at most `seriesMax` series:
 * further label values share one cell that is not printed, so that hostile values cost nothing.
 */
import { assert } from "./assert.ts";

/** Upstream's promise about a metric, printed before its help text. */
export type Stability = "INTERNAL" | "ALPHA" | "BETA" | "STABLE";
export type MetricType = "counter" | "gauge" | "histogram";

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  /** @default "ALPHA" */
  readonly stability?: Stability;
  /** @default none */
  readonly labels?: readonly string[];
  /** @default 10,000 */
  readonly seriesMax?: number;
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, ascending, without the infinite one. @default `defaultBuckets` */
  readonly buckets?: readonly number[];
}

export interface Counter {
  /** @default 1 */
  inc(by?: number): void;
  readonly value: number;
}

export interface Gauge extends Counter {
  set(value: number): void;
  dec(by?: number): void;
}

export interface Histogram {
  observe(value: number): void;
  readonly sum: number;
  readonly count: number;
  /** Per bucket, not cumulative; the last is the infinite one. */
  readonly bucketCounts: readonly number[];
}

export interface MetricFamily<Cell> {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly stability: Stability;
  readonly labels: readonly string[];
  readonly buckets: readonly number[];
  /** The cell of these label values, in the order of `labels`. Keep it where it is hot. */
  with(...values: readonly string[]): Cell;
  remove(...values: readonly string[]): void;
  clear(): void;
  /** Series with their label values, in no order. */
  series(): Iterable<{ readonly values: readonly string[]; readonly cell: Cell }>;
}

export interface MetricRegistry {
  counter(options: MetricOptions): MetricFamily<Counter>;
  gauge(options: MetricOptions): MetricFamily<Gauge>;
  histogram(options: HistogramOptions): MetricFamily<Histogram>;
  /** Calls `collect` before every print, to set gauges that are cheaper to read than to keep. */
  onCollect(collect: () => void): Disposable;
  /** Runs the collectors; families sorted by name. */
  families(): readonly AnyMetricFamily[];
  /** How many families there are, by what is promised of them. */
  readonly counts: ReadonlyMap<Stability, number>;
}

export type AnyMetricFamily =
  | (MetricFamily<Counter> & { readonly type: "counter" })
  | (MetricFamily<Gauge> & { readonly type: "gauge" })
  | (MetricFamily<Histogram> & { readonly type: "histogram" });

/** Source: prometheus `DefBuckets`. */
export const defaultBuckets: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start * factor ** i);
}

export function linearBuckets(start: number, width: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + width * i);
}

export function createMetricRegistry(): MetricRegistry {
  const families = new Map<string, AnyMetricFamily>();
  const collectors = new Set<() => void>();
  const counts = new Map<Stability, number>();

  function ensure<Family extends AnyMetricFamily>(
    type: Family["type"],
    make: () => Family,
    name: string,
  ): Family {
    const known = families.get(name);
    if (known === undefined) {
      const family = make();
      families.set(name, family);
      counts.set(family.stability, (counts.get(family.stability) ?? 0) + 1);
      return family;
    }
    assert(known.type === type, `metric ${name} is a ${known.type}, not a ${type}`);
    return known as Family;
  }

  return {
    counter: (options) =>
      ensure(
        "counter",
        () => ({ ...createFamily(options, "counter", [], createGauge), type: "counter" }),
        options.name,
      ),
    gauge: (options) =>
      ensure(
        "gauge",
        () => ({ ...createFamily(options, "gauge", [], createGauge), type: "gauge" }),
        options.name,
      ),
    histogram(options) {
      const buckets = options.buckets ?? defaultBuckets;
      const createCell = (): Histogram => createHistogram(buckets);
      const make = (): MetricFamily<Histogram> & { type: "histogram" } => ({
        ...createFamily(options, "histogram", buckets, createCell),
        type: "histogram",
      });
      return ensure("histogram", make, options.name);
    },
    onCollect(collect) {
      collectors.add(collect);
      return { [Symbol.dispose]: () => void collectors.delete(collect) };
    },
    families() {
      for (const collect of collectors) collect();
      return [...families.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    counts,
  };
}

/** Joins label values to a map key; cannot occur in UTF-8 text of sane labels. */
const keySeparator = "\u{10ffff}";
const seriesMaxDefault = 10_000;

function createFamily<Cell>(
  options: MetricOptions,
  type: MetricType,
  buckets: readonly number[],
  createCell: () => Cell,
): MetricFamily<Cell> {
  const labels = options.labels ?? [];
  const seriesMax = options.seriesMax ?? seriesMaxDefault;
  const series = new Map<string, { values: readonly string[]; cell: Cell }>();
  let overflow: Cell | undefined;
  return {
    name: options.name,
    type,
    help: options.help,
    stability: options.stability ?? "ALPHA",
    labels,
    buckets,
    with(...values) {
      const key = values.length === 1 ? (values[0] ?? "") : values.join(keySeparator);
      const known = series.get(key);
      if (known !== undefined) return known.cell;
      assert(values.length === labels.length, `${options.name} has ${labels.length} labels`);
      if (series.size >= seriesMax) return (overflow ??= createCell());
      const cell = createCell();
      series.set(key, { values, cell });
      return cell;
    },
    remove: (...values) => void series.delete(values.join(keySeparator)),
    clear: () => series.clear(),
    series: () => series.values(),
  };
}

function createGauge(): Gauge {
  let value = 0;
  return {
    get value() {
      return value;
    },
    set: (next) => void (value = next),
    inc: (by = 1) => void (value += by),
    dec: (by = 1) => void (value -= by),
  };
}

function createHistogram(buckets: readonly number[]): Histogram {
  const counts = Array.from({ length: buckets.length + 1 }, () => 0);
  let sum = 0;
  let count = 0;
  return {
    observe(value) {
      let at = 0;
      while (at < buckets.length && value > (buckets[at] as number)) at++;
      counts[at] = (counts[at] as number) + 1;
      sum += value;
      count++;
    },
    get sum() {
      return sum;
    },
    get count() {
      return count;
    },
    bucketCounts: counts,
  };
}

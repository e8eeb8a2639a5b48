/** What became of each pod's last attempt, told in full. */
export interface Explanation {
  readonly pod: string;
  readonly uid: string;
  readonly attempts: number;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly outcome: "Scheduled" | "Unschedulable" | "Error" | "Gated";
  readonly message: string;
  readonly nodeName?: string;
  readonly nodeCount: number;
  /** What each plugin refused, by reason. */
  readonly refusals: readonly RefusalGroup[];
  /** The best nodes, best first, where there was a choice. */
  readonly scores: readonly NodeScores[];
  /** What every plugin says of each node now, while the pod waits; at most `namesMax` nodes. */
  readonly verdicts?: readonly NodeVerdict[];
}

export interface NodeVerdict {
  readonly node: string;
  /** Empty: it fits there. */
  readonly refusals: readonly { readonly plugin: string; readonly reasons: readonly string[] }[];
}

export interface RefusalGroup {
  readonly plugin: string;
  readonly reason: string;
  /** Whether preemption might help. */
  readonly resolvable: boolean;
  readonly nodeCount: number;
  /** At most `namesMax`. */
  readonly nodes: readonly string[];
}

export interface NodeScores {
  readonly node: string;
  readonly total: number;
  /** Weighted, by plugin. */
  readonly plugins: Readonly<Record<string, number>>;
}

/** Pods whose last attempt is remembered; the one longest unheard of is forgotten first. */
export const explanationsMax = 5000;
/** Names of nodes told for each reason. */
export const namesMax = 100;

export interface Explanations {
  record(key: string, make: () => Explanation): void;
  get(key: string): Explanation | undefined;
  forget(key: string): void;
}

/** Explanations are made when someone asks, unless their material would be gone by then. */
export function createExplanations(): Explanations {
  const known = new Map<string, () => Explanation>();
  return {
    record(key, make) {
      known.delete(key);
      known.set(key, make);
      if (known.size <= explanationsMax) return;
      const oldest = known.keys().next().value;
      if (oldest !== undefined) known.delete(oldest);
    },
    get: (key) => known.get(key)?.(),
    forget: (key) => void known.delete(key),
  };
}

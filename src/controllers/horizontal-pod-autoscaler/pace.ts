import type { HPAScalingRules, HorizontalPodAutoscalerBehavior } from "#api/autoscaling/v2/horizontal-pod-autoscaler.ts";

/** `--horizontal-pod-autoscaler-downscale-stabilization`. */
const downWindowMs = 300_000;
/** The longest window that validation lets through. */
const windowMaxMs = 3600_000;
const samplesMax = 1000;

interface Sample {
  readonly replicas: number;
  readonly atMs: number;
}

/** What one autoscaler remembers; times are monotonic. */
export interface History {
  recommendations: Sample[];
  /** Replicas added and removed. */
  ups: Sample[];
  downs: Sample[];
}

export function newHistory(): History {
  return { recommendations: [], ups: [], downs: [] };
}

export interface PaceInput {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  readonly nowMs: number;
  readonly behavior: HorizontalPodAutoscalerBehavior | undefined;
}

type Said = readonly [reason: string, message: string];

export interface Pace {
  readonly replicas: number;
  readonly able: Said;
  readonly limited: Said;
  readonly isLimited: boolean;
}

const lowerThanMin: Said = ["TooFewReplicas", "the desired replica count is less than the minimum replica count"];
const higherThanMax: Said = ["TooManyReplicas", "the desired replica count is more than the maximum replica count"];
const tooFastUp: Said = ["ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"];
const tooFastDown: Said = ["ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"];
const within: Said = ["DesiredWithinRange", "the desired count is within the acceptable range"];

/** First the newest recommendation is weighed against recent ones, then the step is limited. Remembers the recommendation. */
export function pace(history: History, input: PaceInput): Pace {
  const [stable, stabilized] = stabilize(history, input);
  history.recommendations = [
    ...history.recommendations.filter(({ atMs }) => atMs > input.nowMs - windowMaxMs),
    { replicas: input.desired, atMs: input.nowMs },
  ].slice(-samplesMax);
  const able: Said = stable === input.desired ? ["ReadyForNewScale", "recommended size matches current size"] : stabilized;
  const [replicas, limited] = limit(history, { ...input, desired: stable });
  return { replicas, able, limited, isLimited: replicas !== stable };
}

/** Remembers a change that was made. */
export function remember(history: History, from: number, to: number, nowMs: number): void {
  const side = to > from ? "ups" : "downs";
  const kept = history[side].filter(({ atMs }) => atMs > nowMs - windowMaxMs);
  history[side] = [...kept, { replicas: Math.abs(to - from), atMs: nowMs }].slice(-samplesMax);
}

function stabilize({ recommendations }: History, { current, desired, nowMs, behavior }: PaceInput): [number, Said] {
  const isUp = behavior !== undefined && desired >= current;
  const seconds = (isUp ? behavior.scaleUp : behavior?.scaleDown)?.stabilizationWindowSeconds;
  const windowMs = seconds === undefined ? (isUp ? 0 : downWindowMs) : seconds * 1000;
  const recent = recommendations.filter(({ atMs }) => atMs > nowMs - windowMs).map(({ replicas }) => replicas);
  if (isUp) {
    const message = "recent recommendations were lower than current one, applying the lowest recent recommendation";
    return [Math.min(desired, ...recent), ["ScaleUpStabilized", message]];
  }
  const message = "recent recommendations were higher than current one, applying the highest recent recommendation";
  return [Math.max(desired, ...recent), ["ScaleDownStabilized", message]];
}

function limit(history: History, input: PaceInput): [number, Said] {
  const { current, desired, min, max, behavior, nowMs } = input;
  if (behavior === undefined) {
    const fastest = Math.max(2 * current, 4);
    if (desired < min) return [min, lowerThanMin];
    if (desired > Math.min(max, fastest)) return max > fastest ? [fastest, tooFastUp] : [max, higherThanMax];
    return [desired, within];
  }
  if (desired > current) {
    const fastest = Math.max(current, upLimit(current, behavior.scaleUp, changesOf(history.ups, nowMs)));
    if (desired > Math.min(max, fastest)) return max > fastest ? [fastest, tooFastUp] : [max, higherThanMax];
  } else if (desired < current) {
    const fastest = Math.min(current, downLimit(current, behavior.scaleDown, changesOf(history.downs, nowMs)));
    if (desired < Math.max(min, fastest)) return min < fastest ? [fastest, tooFastDown] : [min, lowerThanMin];
  }
  return [desired, within];
}

type Changes = (periodSeconds: number) => number;

function changesOf(samples: readonly Sample[], nowMs: number): Changes {
  return (seconds) =>
    samples.filter(({ atMs }) => atMs > nowMs - seconds * 1000).reduce((sum, { replicas }) => sum + replicas, 0);
}

/** `Min` takes the smallest change, any other policy the largest. */
function upLimit(current: number, rules: HPAScalingRules | undefined, changes: Changes): number {
  if (rules?.selectPolicy === "Disabled") return current;
  const proposals = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current - changes(periodSeconds);
    return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules?.selectPolicy === "Min" ? Math.min(...proposals) : Math.max(0, ...proposals);
}

function downLimit(current: number, rules: HPAScalingRules | undefined, changes: Changes): number {
  if (rules?.selectPolicy === "Disabled") return current;
  const proposals = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current + changes(periodSeconds);
    return type === "Pods" ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return rules?.selectPolicy === "Min" ? Math.max(...proposals) : Math.min(...proposals);
}

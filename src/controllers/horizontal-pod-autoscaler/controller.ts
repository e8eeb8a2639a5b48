import { errorMessage } from "#base/error-message.ts";
import {
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerCondition,
  type HorizontalPodAutoscalerStatus,
  horizontalPodAutoscalers,
} from "#api/autoscaling/v2/horizontal-pod-autoscaler.ts";
import type { Scale } from "#api/autoscaling/v1/scale.ts";
import type { MetricSpec, MetricStatus } from "#api/autoscaling/v2/metric.ts";
import { pods } from "#api/core/v1/pod.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { objectKey } from "#apimachinery/object.ts";
import { quantityNumber } from "#apimachinery/quantity.ts";
import { matches, parseLabelSelector } from "#apimachinery/selectors.ts";
import { rfc3339 } from "#base/clock.ts";
import type { ResourceTarget } from "#client/client.ts";
import { type Context, defineController, done, type Outcome } from "../framework/controller.ts";
import type { Tolerance } from "./calculator.ts";
import { type History, newHistory, pace, remember } from "./pace.ts";
import { MetricError, type MetricResult, proposeByMetric } from "./sources.ts";
import { readScale, resolveKind, writeScale } from "./target.ts";

/** `--horizontal-pod-autoscaler-sync-period`: metrics come without notice, so they are asked for. */
const syncMs = 15_000;
const defaultTolerance = 0.1;

type Histories = Map<string, History>;
type ScalerContext = Context<HorizontalPodAutoscaler, Histories>;

/** Scales workloads by metrics. Source: pkg/controller/podautoscaler. */
export const horizontalPodAutoscalerController = defineController<HorizontalPodAutoscaler, Histories>({
  name: "horizontal-pod-autoscaler-controller",
  account: "horizontal-pod-autoscaler",
  component: "horizontal-pod-autoscaler",
  for: horizontalPodAutoscalers,
  changed: (autoscaler, old) => !semanticEqual(autoscaler.spec, old.spec) || autoscaler.metadata.uid !== old.metadata.uid,
  reads: [pods],
  workers: 5,
  state: () => new Map(),
  async reconcile(context): Promise<Outcome> {
    const autoscaler = context.get();
    if (autoscaler === undefined) {
      context.state.delete(context.key);
      return done;
    }
    const draft = createDraft(context, autoscaler);
    await scale(context, autoscaler, draft);
    await draft.write();
    return { requeueAfterMs: syncMs };
  },
});

/** The status in the making. */
interface Draft {
  set(type: string, status: "True" | "False", said: readonly [reason: string, message: string]): void;
  replicas(current: number, desired: number): void;
  metrics(statuses: MetricStatus[]): void;
  scaled(): void;
  write(): Promise<void>;
}

function createDraft(context: ScalerContext, autoscaler: HorizontalPodAutoscaler): Draft {
  const old: HorizontalPodAutoscalerStatus = autoscaler.status ?? { desiredReplicas: 0, currentMetrics: [] };
  const conditions: HorizontalPodAutoscalerCondition[] = [...(old.conditions ?? [])];
  const status: HorizontalPodAutoscalerStatus = { ...old, conditions };
  return {
    set(type, value, [reason, message]) {
      const at = conditions.findIndex((condition) => condition.type === type);
      const before = conditions[at];
      const isSame = before?.status === value && before.lastTransitionTime !== undefined;
      const lastTransitionTime = isSame ? before.lastTransitionTime : rfc3339(context.clock.nowMs());
      const next = { type, status: value, lastTransitionTime: lastTransitionTime ?? "", reason, message };
      if (at === -1) conditions.push(next);
      else conditions[at] = next;
    },
    replicas(current, desired) {
      status.currentReplicas = current;
      status.desiredReplicas = desired;
    },
    metrics(statuses) {
      status.currentMetrics = statuses;
    },
    scaled() {
      status.lastScaleTime = rfc3339(context.clock.nowMs());
    },
    async write() {
      if (semanticEqual(old, status)) return;
      await context.resource(horizontalPodAutoscalers).updateStatus({ ...autoscaler, status });
    },
  };
}

interface Scaling {
  readonly target: ResourceTarget;
  readonly key: string;
  readonly scale: Scale;
  readonly current: number;
  readonly min: number;
  readonly max: number;
}

interface Decision {
  readonly replicas: number;
  readonly reason: string;
}

async function scale(context: ScalerContext, autoscaler: HorizontalPodAutoscaler, draft: Draft): Promise<void> {
  const scaling = await findScale(context, autoscaler, draft);
  if (scaling === undefined) return;
  const { current, min, max } = scaling;
  const history = historyOf(context, current);
  if (current === 0 && min !== 0) {
    draft.set("ScalingActive", "False", ["ScalingDisabled", "scaling is disabled since the replica count of the target is zero"]);
    draft.replicas(current, 0);
    draft.metrics([]);
    return;
  }
  let decision: Decision | undefined;
  if (current > max) decision = { replicas: max, reason: "Current number of replicas above Spec.MaxReplicas" };
  else if (current < min) decision = { replicas: min, reason: "Current number of replicas below Spec.MinReplicas" };
  else decision = await decide(context, { autoscaler, draft, scaling, history });
  if (decision === undefined) return;
  if (decision.replicas === current) draft.replicas(current, current);
  else await rescale(context, { autoscaler, draft, scaling, history, decision });
}

async function findScale(context: ScalerContext, autoscaler: HorizontalPodAutoscaler, draft: Draft): Promise<Scaling | undefined> {
  const { scaleTargetRef, minReplicas = 1, maxReplicas } = autoscaler.spec;
  const key = objectKey(autoscaler.metadata.namespace, scaleTargetRef.name);
  try {
    const target = await resolveKind(context.client, scaleTargetRef);
    const found = await readScale(context.client, target, key);
    draft.set("AbleToScale", "True", ["SucceededGetScale", "the HPA controller was able to get the target's current scale"]);
    return { target, key, scale: found, current: found.spec?.replicas ?? 0, min: minReplicas, max: maxReplicas };
  } catch (error) {
    context.events.warning(autoscaler, "FailedGetScale", errorMessage(error));
    const message = `the HPA controller was unable to get the target's current scale: ${errorMessage(error)}`;
    draft.set("AbleToScale", "False", ["FailedGetScale", message]);
    return undefined;
  }
}

function historyOf(context: ScalerContext, current: number): History {
  const known = context.state.get(context.key);
  if (known !== undefined) return known;
  const history = newHistory();
  history.recommendations = [{ replicas: current, atMs: context.clock.monotonicMs() }];
  context.state.set(context.key, history);
  return history;
}

interface Work {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly draft: Draft;
  readonly scaling: Scaling;
  readonly history: History;
}

async function decide(context: ScalerContext, work: Work): Promise<Decision | undefined> {
  const { autoscaler, draft, scaling, history } = work;
  const { current, min, max } = scaling;
  const wanted = await askMetrics(context, work);
  if (wanted === undefined) {
    draft.replicas(current, autoscaler.status?.desiredReplicas ?? 0);
    return undefined;
  }
  const reason = wanted.replicas > current ? `${wanted.name} above target` : "All metrics below target";
  const { behavior } = autoscaler.spec;
  const nowMs = context.clock.monotonicMs();
  const { replicas, able, limited, isLimited } = pace(history, { current, desired: wanted.replicas, min, max, nowMs, behavior });
  draft.set("AbleToScale", "True", able);
  draft.set("ScalingLimited", isLimited ? "True" : "False", limited);
  return { replicas, reason };
}

/** The highest proposal wins. Metrics that fail only keep replicas from being removed. */
async function askMetrics(context: ScalerContext, work: Work): Promise<{ replicas: number; name: string } | undefined> {
  const { autoscaler, draft, scaling } = work;
  const selector = scaling.scale.status?.selector ?? "";
  if (selector === "") {
    context.events.warning(autoscaler, "SelectorRequired", "selector is required");
    draft.set("ScalingActive", "False", ["InvalidSelector", "the HPA target's scale is missing a selector"]);
    context.events.warning(autoscaler, "FailedComputeMetricsReplicas", "selector is required");
    return undefined;
  }
  const specs = autoscaler.spec.metrics ?? [];
  const parsed = parseLabelSelector(selector);
  const measured = context
    .lister(pods)
    .inNamespace(autoscaler.metadata.namespace ?? "")
    .filter(({ metadata }) => matches(parsed, metadata.labels));
  const ask = async (metric: MetricSpec) =>
    await proposeByMetric(
      {
        client: context.client,
        autoscaler,
        pods: measured,
        selector,
        specReplicas: scaling.current,
        statusReplicas: scaling.scale.status?.replicas ?? 0,
        tolerance: toleranceOf(autoscaler),
        nowMs: context.clock.nowMs(),
        async resourceOf(reference) {
          const { plural, group } = await resolveKind(context.client, reference);
          return group === "" ? plural : `${plural}.${group}`;
        },
      },
      metric,
    ).catch((error: unknown) => {
      if (error instanceof MetricError) return error;
      throw error;
    });
  const answers = await Promise.all(specs.map(ask));
  const failures = answers.filter((answer) => answer instanceof MetricError);
  const results = answers.filter((answer): answer is MetricResult => !(answer instanceof MetricError));
  for (const { reason, message } of failures) context.events.warning(autoscaler, reason, message);
  const best = results.toSorted((a, b) => b.replicas - a.replicas)[0];
  const [first] = failures;
  if (best === undefined || (first !== undefined && best.replicas < scaling.current)) {
    const message = first?.message ?? "no metrics";
    draft.set("ScalingActive", "False", [
      first?.reason ?? "InvalidMetricSourceType",
      `the HPA was unable to compute the replica count: ${message}`,
    ]);
    const summary = `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${first?.full ?? message}`;
    context.events.warning(autoscaler, "FailedComputeMetricsReplicas", summary);
    return undefined;
  }
  draft.metrics(results.map(({ status }) => status));
  draft.set("ScalingActive", "True", [
    "ValidMetricFound",
    `the HPA was able to successfully calculate a replica count from ${best.name}`,
  ]);
  return best;
}

function toleranceOf({ spec: { behavior } }: HorizontalPodAutoscaler): Tolerance {
  const of = (tolerance: string | undefined): number => (tolerance === undefined ? defaultTolerance : quantityNumber(tolerance));
  return { down: of(behavior?.scaleDown?.tolerance), up: of(behavior?.scaleUp?.tolerance) };
}

async function rescale(context: ScalerContext, work: Work & { readonly decision: Decision }): Promise<void> {
  const { autoscaler, draft, scaling, history, decision } = work;
  const { current } = scaling;
  const { replicas, reason } = decision;
  try {
    await writeScale(context.client, scaling.target, { key: scaling.key, scale: scaling.scale, replicas });
  } catch (error) {
    const text = errorMessage(error);
    context.events.warning(autoscaler, "FailedRescale", `New size: ${replicas}; reason: ${reason}; error: ${text}`);
    draft.set("AbleToScale", "False", ["FailedUpdateScale", `the HPA controller was unable to update the target scale: ${text}`]);
    draft.replicas(current, autoscaler.status?.desiredReplicas ?? 0);
    return;
  }
  draft.set("AbleToScale", "True", ["SucceededRescale", `the HPA controller was able to update the target scale to ${replicas}`]);
  context.events.normal(autoscaler, "SuccessfulRescale", `New size: ${replicas}; reason: ${reason}`);
  remember(history, current, replicas, context.clock.monotonicMs());
  draft.replicas(current, replicas);
  draft.scaled();
}

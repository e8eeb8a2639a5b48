import { Eviction } from "#api/policy/v1/eviction.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { type PodDisruptionBudget, podDisruptionBudgets } from "#api/policy/v1/pod-disruption-budget.ts";
import { rfc3339 } from "#base/clock.ts";
import type { DeleteOptions } from "#apimachinery/meta/options.ts";
import { labelSelectorOf } from "#apimachinery/selectors.ts";
import { badRequest, failure, plainError, tooManyRequests } from "#apimachinery/status.ts";
import type { Answer } from "../answer.ts";
import type { Call, Endpoint } from "../call.ts";
import { decodeBody, kindOf } from "../rest/decode.ts";
import { checkPreconditions, remove } from "../rest/delete.ts";
import { get, list } from "../rest/list.ts";
import { trackUpdate } from "../rest/managed-fields.ts";
import { updateWith } from "../rest/update.ts";
import { admitPosted } from "./admit.ts";
import type { Handler, HandlerContext } from "./handler.ts";

/** More disrupted pods than this means that the controller is far behind. Source: MaxDisruptedPodSize. */
const disruptedPodsMax = 2000;

/**
 * POST pods/NAME/eviction: a delete that disruption budgets may refuse.
 * Source: registry/core/pod/storage/eviction.go.
 */
export const podEviction: Handler = async (context, endpoint, call) => {
  const expected = evictionKind(call);
  const posted = decodeBody(call, expected, context.table) as Eviction;
  const kind = { group: "policy", version: expected.version, kind: "Eviction" };
  const name = posted.metadata?.name ?? "";
  if (name !== call.name) throw badRequest("name in URL does not match name in Eviction object");
  const eviction = await admitPosted(context, endpoint, { call, object: posted, kind });
  const options = eviction.deleteOptions ?? {};
  const dryRun = call.options.dryRun === true || (options.dryRun?.length ?? 0) > 0;
  const asked: Call = { ...call, subresource: "", verb: "delete", options: { ...call.options, dryRun } };
  const pod = (await get(endpoint, asked)).object as Pod;
  if (!canIgnoreBudget(pod)) {
    const budgets = await budgetsOf(context, call, pod);
    if (budgets.length > 1) {
      throw plainError("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    }
    const [budget] = budgets;
    if (budget !== undefined && !isExempt(pod, budget)) {
      await takeDisruption(context, asked, { budget, pod });
      options.preconditions ??= { uid: pod.metadata?.uid };
    }
  }
  await evict(context, endpoint, { call: asked, options, pod });
  return success();
};

function evictionKind(call: Call): ReturnType<typeof kindOf> {
  const { body } = call;
  const text = body?.form === "bytes" ? Buffer.from(body.bytes).toString("latin1") : "";
  return kindOf(Eviction, "policy", text.includes("policy/v1beta1") ? "v1beta1" : "v1");
}

function success(): Answer {
  return {
    kind: "status",
    status: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 },
    code: 201,
  };
}

/** Pods that do not run, or go already, count for no budget. */
function canIgnoreBudget({ status, metadata }: Pod): boolean {
  const phase = status?.phase;
  return phase === "Succeeded" || phase === "Failed" || phase === "Pending" || metadata?.deletionTimestamp !== undefined;
}

async function budgetsOf({ table }: HandlerContext, call: Call, pod: Pod): Promise<PodDisruptionBudget[]> {
  const endpoint = table.of(podDisruptionBudgets);
  const page = await list(endpoint, { ...call, definition: endpoint.definition, name: "", subresource: "", options: {} });
  return page.entries
    .map((entry) => entry.object as PodDisruptionBudget)
    .filter(({ spec }) => labelSelectorOf(spec?.selector).matches(pod.metadata?.labels));
}

/** Unready pods may go when the policy says so, or when the budget is met anyway. */
function isExempt(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  const ready = pod.status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True");
  if (ready === true) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  return (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0) && (status?.desiredHealthy ?? 0) > 0;
}

const tooManyMessage = "Cannot evict pod as it would violate the pod's disruption budget.";

function refuseDisruption(message: string, details: string, retryAfterSeconds: number): Error {
  const { status } = tooManyRequests(tooManyMessage, retryAfterSeconds);
  return failure("TooManyRequests", {
    message: status.message ?? "",
    details: {
      ...(retryAfterSeconds > 0 && { retryAfterSeconds }),
      causes: [{ reason: message, message: details }],
    },
  });
}

/** Counts the pod against its budget; the controller gives it back when the pod does not go. */
async function takeDisruption(
  { table, rest }: HandlerContext,
  call: Call,
  { budget, pod }: { budget: PodDisruptionBudget; pod: Pod },
): Promise<void> {
  const endpoint = table.of(podDisruptionBudgets);
  const name = budget.metadata?.name ?? "";
  // Upstream counts through its own client.
  const update: Call = {
    ...call,
    definition: endpoint.definition,
    name,
    subresource: "status",
    verb: "update",
    userAgent: "kube-apiserver/",
  };
  await updateWith(endpoint, update, {
    deps: rest,
    uid: "",
    allowCreate: false,
    admission: "done",
    transform: (live) => {
      const updated = counted(call, live as PodDisruptionBudget, pod);
      const tracked = trackUpdate({ endpoint, call: update, updated, ...(live && { live }) });
      return Promise.resolve(tracked);
    },
  });
}

function counted(call: Call, live: PodDisruptionBudget, pod: Pod): PodDisruptionBudget {
  const { status, metadata } = live;
  const name = metadata?.name ?? "";
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) {
    throw refuseDisruption("DisruptionBudget", `The disruption budget ${name} is still being processed by the server.`, 10);
  }
  const allowed = status?.disruptionsAllowed ?? 0;
  if (allowed < 0) throw plainError("pdb disruptions allowed is negative");
  if (Object.keys(status?.disruptedPods ?? {}).length > disruptedPodsMax) {
    throw plainError("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  }
  if (allowed === 0) {
    const { desiredHealthy = 0, currentHealthy = 0 } = status ?? {};
    const detail = `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
    throw refuseDisruption("DisruptionBudget", detail, 0);
  }
  return {
    ...live,
    metadata: { ...metadata },
    status: {
      ...status,
      conditions: withAllowance(call, live, allowed - 1),
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...status?.disruptedPods, [pod.metadata?.name ?? ""]: rfc3339(call.nowMs) },
    },
  } as PodDisruptionBudget;
}

type Conditions = NonNullable<NonNullable<PodDisruptionBudget["status"]>["conditions"]>;

/** Condition `DisruptionAllowed`; its time is kept while it does not turn. */
function withAllowance(call: Call, { status, metadata }: PodDisruptionBudget, allowed: number): Conditions {
  const type = "DisruptionAllowed";
  const before = status?.conditions?.find((one) => one.type === type);
  const [value, reason] = allowed > 0 ? ["True", "SufficientPods"] : ["False", "InsufficientPods"];
  const condition = {
    type,
    status: value,
    observedGeneration: metadata?.generation,
    lastTransitionTime:
      before?.status === value ? before?.lastTransitionTime : rfc3339(call.nowMs),
    reason,
    message: "",
  };
  const others = (status?.conditions ?? []).filter((one) => one.type !== type);
  return [...others, condition] as Conditions;
}

interface Leaving {
  readonly call: Call;
  readonly options: DeleteOptions;
  readonly pod: Pod;
}

/** Marks why the pod goes, then deletes it; one that goes already is marked too. */
async function evict(context: HandlerContext, endpoint: Endpoint, { call, options, pod }: Leaving): Promise<void> {
  const marking: Call = { ...call, verb: "patch", subresource: "status" };
  await updateWith(endpoint, marking, {
    deps: context.rest,
    uid: pod.metadata?.uid ?? "",
    allowCreate: false,
    admission: "done",
    transform: (live) => {
      if (live !== undefined) checkPreconditions(endpoint, live, options);
      return Promise.resolve(marked(call, live as Pod));
    },
  });
  await remove(endpoint, call, { deps: context.rest, options, admitted: true });
}

function marked(call: Call, live: Pod): Pod {
  const type = "DisruptionTarget";
  const conditions = live.status?.conditions ?? [];
  const before = conditions.find((one) => one.type === type);
  const condition = {
    type,
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: before?.status === "True" ? before.lastTransitionTime : rfc3339(call.nowMs),
  };
  const others = conditions.filter((one) => one.type !== type);
  return { ...live, metadata: { ...live.metadata }, status: { ...live.status, conditions: [...others, condition] } } as Pod;
}

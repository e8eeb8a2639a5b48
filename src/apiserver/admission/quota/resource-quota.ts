import type { Pod } from "#api/core/v1/pod.ts";
import { matchesQuotaScopes, quotaUsageOf } from "#api/core/v1/quota-usage.ts";
import type { ResourceList } from "#api/core/v1/resource-name.ts";
import type { ResourceQuota } from "#api/core/v1/resource-quota.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  quantitySign,
  subtractQuantities,
} from "#apimachinery/quantity.ts";
import { internal } from "#apimachinery/status.ts";
import { type Endpoint, isDryRun } from "../../call.ts";
import { trackUpdate } from "../../rest/managed-fields.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { type AdmissionRequest, forbid } from "../request.ts";
import { limitedNames, type LimitedResource } from "./limited-resources.ts";
import { countsUnder, isCounted, missingRequests } from "./quota-targets.ts";

/** Tries to charge a quota that others charge at the same time. */
const chargeTriesMax = 64;

/**
 * Refuses what would exceed a quota and charges the rest, so that the next request sees it at once.
 * Source: apiserver/pkg/admission/plugin/resourcequota/controller.go.
 */
export function resourceQuotaAdmission(
  quotas: LiveSet<ResourceQuota>,
  endpoint: () => Endpoint,
  limits: readonly LimitedResource[] = [],
): AdmissionPlugin {
  return {
    name: "ResourceQuota",
    handles: (request) => request.call.namespace !== "" && isCounted(request),
    async validate(request) {
      const own = quotas.inNamespace(request.call.namespace);
      if (own.length === 0 && limits.length === 0) return;
      const usage = addedUsage(request);
      const charged = own
        .map((quota) => ({ quota, added: chargeOf(quota, request, usage) }))
        .filter(({ added }) => Object.keys(added).length > 0);
      refuseUncovered(limitedNames(limits, request.definition, usage.now), request, own);
      for (const { quota, added } of charged) exceed(quota, request, added);
      if (isDryRun(request.call)) return;
      for (const { quota, added } of charged) await charge(endpoint(), request, { quota, added });
    },
  };
}

/** Errors: Forbidden, when no quota is about what is limited. */
function refuseUncovered(names: readonly string[], request: AdmissionRequest, quotas: readonly ResourceQuota[]): void {
  const { object, definition } = request;
  const covering = quotas.filter(({ spec }) => object !== undefined && matchesQuotaScopes(spec, definition, object));
  const covered = new Set(covering.flatMap(({ status }) => Object.keys(status?.hard ?? {})));
  const open = names.filter((name) => !covered.has(name)).toSorted();
  if (open.length > 0) throw forbid(request, `insufficient quota to consume: ${open.join(",")}`);
}

interface Usage {
  readonly now: ResourceList;
  readonly before: ResourceList;
}

function addedUsage({ definition, object, oldObject, call }: AdmissionRequest): Usage {
  const usageOf = (one: KubeObject | undefined): ResourceList =>
    one === undefined ? {} : quotaUsageOf(definition, one, call.nowMs);
  return { now: usageOf(object), before: usageOf(oldObject) };
}

/**
 * What the request adds to a quota; nothing when the quota is not about it.
 * Errors: Forbidden when the object does not say what the quota counts, or nobody has counted yet.
 */
function chargeOf(
  quota: ResourceQuota,
  request: AdmissionRequest,
  { now, before }: Usage,
): ResourceList {
  const { object, definition } = request;
  if (object === undefined || !matchesQuotaScopes(quota.spec, definition, object)) return {};
  const name = quota.metadata?.name ?? "";
  const counted = Object.keys(quota.status?.hard ?? {}).filter((one) =>
    countsUnder(definition, one),
  );
  if (counted.length === 0) return {};
  const isPod = definition.group === "" && definition.plural === "pods";
  const missing = isPod ? missingRequests(object as Pod, counted) : "";
  if (missing !== "") throw forbid(request, `failed quota: ${name}: must specify ${missing}`);
  const unknown = counted.filter((one) => quota.status?.used?.[one] === undefined);
  if (unknown.length > 0) {
    throw forbid(
      request,
      `status unknown for quota: ${name}, resources: ${counted.toSorted().join(",")}`,
    );
  }
  const added: [string, string][] = [];
  for (const one of counted) {
    const difference = subtractQuantities(now[one] ?? "0", before[one] ?? "0");
    if (quantitySign(difference) > 0) added.push([one, formatQuantity(difference)]);
  }
  return Object.fromEntries(added);
}

/** Errors: Forbidden, naming what does not fit. */
function exceed(
  { metadata, status }: ResourceQuota,
  request: AdmissionRequest,
  added: ResourceList,
): void {
  const hard = status?.hard ?? {};
  const used = status?.used ?? {};
  const exceeded = Object.keys(added)
    .filter((one) => {
      const next = addQuantities(used[one] ?? "0", added[one] ?? "0");
      return compareQuantities(next, hard[one] ?? "0") > 0;
    })
    .sort();
  if (exceeded.length === 0) return;
  const print = (list: ResourceList): string =>
    exceeded.map((one) => `${one}=${list[one] ?? "0"}`).join(",");
  throw forbid(
    request,
    `exceeded quota: ${metadata?.name ?? ""}, requested: ${print(added)}, used: ${print(used)}, limited: ${print(hard)}`,
  );
}

interface Charge {
  readonly quota: ResourceQuota;
  readonly added: ResourceList;
}

async function charge(
  endpoint: Endpoint,
  request: AdmissionRequest,
  { quota, added }: Charge,
): Promise<void> {
  const { storage, definition } = endpoint;
  // Upstream charges through its own client.
  const call = {
    ...request.call,
    definition,
    subresource: "status",
    userAgent: "kube-apiserver/",
    options: {},
  };
  const key = storage.keyOf(quota.metadata?.namespace ?? "", quota.metadata?.name ?? "");
  for (let tries = 0; tries < chargeTriesMax; tries++) {
    const current = await storage.find(key);
    if (current === undefined) return;
    const live = current.entry.object as ResourceQuota;
    exceed(live, request, added);
    const updated = trackUpdate({ endpoint, call, updated: withCharge(live, added), live });
    const value = await storage.encode(updated);
    const outcome = await storage.updateFrom(key, current, {
      dryRun: false,
      decision: { do: "write", value },
    });
    if (outcome !== undefined) return;
  }
  throw internal(`quota ${quota.metadata?.name ?? ""} changes too often to be charged`);
}

function withCharge(quota: ResourceQuota, added: ResourceList): ResourceQuota {
  const used = { ...quota.status?.used };
  for (const [name, quantity] of Object.entries(added)) {
    used[name] = formatQuantity(addQuantities(used[name] ?? "0", quantity));
  }
  return { ...quota, status: { ...quota.status, used } } as ResourceQuota;
}

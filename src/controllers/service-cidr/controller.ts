import { type IPAddress, ipAddresses } from "#api/networking/v1/ip-address.ts";
import { type ServiceCIDR, serviceCidrs } from "#api/networking/v1/service-cidr.ts";
import { type Cidr, cidrContains, parseCidr, parseIp } from "#apimachinery/validation/ip.ts";
import { rfc3339 } from "#base/clock.ts";
import { type Context, defineController, done, type MapContext, watchOf } from "../framework/controller.ts";

const name = "service-cidr-controller";
const finalizer = "networking.k8s.io/service-cidr-finalizer";
const managedBy = "ipallocator.k8s.io";
/** Allocators may give out an address before they see that the range goes. */
const deletionGraceMs = 10_000;

type RangeContext = Context<ServiceCIDR, undefined>;

/** Source: pkg/controller/servicecidrs. */
export const serviceCidrController = defineController<ServiceCIDR>({
  name,
  account: "service-cidrs-controller",
  for: serviceCidrs,
  watches: [
    watchOf(serviceCidrs, { keys: (_range, context) => going(context) }),
    watchOf(ipAddresses, { on: ["delete"], keys: (_address, context) => going(context) }),
  ],
  async reconcile(context) {
    const range = context.get();
    if (range === undefined) return done;
    const { deletionTimestamp, finalizers = [] } = range.metadata;
    if (deletionTimestamp === undefined) {
      if (!finalizers.includes(finalizer)) await setFinalizers(context, range, [...finalizers, finalizer]);
      await setReady(context, range, { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" });
      return done;
    }
    if (!finalizers.includes(finalizer)) return done;
    if (isNeeded(range, context.lister(serviceCidrs).list(), context.lister(ipAddresses).list())) {
      const message = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
      await setReady(context, range, { status: "False", reason: "Terminating", message });
      return done;
    }
    const leftMs = Date.parse(deletionTimestamp) + deletionGraceMs - context.clock.nowMs();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const kept = finalizers.filter((other) => other !== finalizer);
    await setFinalizers(context, range, kept);
    return done;
  },
});

function going(context: MapContext): string[] {
  const ranges = context.lister(serviceCidrs).list();
  return ranges.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).map(({ metadata }) => metadata.name ?? "");
}

async function setFinalizers(context: RangeContext, range: ServiceCIDR, finalizers: string[]): Promise<void> {
  const { resourceVersion } = range.metadata;
  const body = { metadata: { finalizers, ...(resourceVersion !== undefined && { resourceVersion }) } };
  await context.resource(serviceCidrs).patch(context.key, { type: "merge", body });
}

async function setReady(
  context: RangeContext,
  range: ServiceCIDR,
  said: { readonly status: string; readonly reason: string; readonly message: string },
): Promise<void> {
  const before = range.status?.conditions?.find(({ type }) => type === "Ready");
  if (before?.status === said.status && before.message === said.message) return;
  const condition = { type: "Ready", ...said, lastTransitionTime: rfc3339(context.clock.nowMs()) };
  await context.resource(serviceCidrs).apply(
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: { name: context.key },
      spec: {},
      status: { conditions: [condition] },
    },
    { fieldManager: name, force: true, subresource: "status" },
  );
}

function rangesOf({ spec }: ServiceCIDR): Cidr[] {
  return (spec.cidrs ?? []).map(parseCidr).filter((cidr) => cidr !== undefined);
}

function holds(outer: Cidr, inner: Cidr): boolean {
  return outer.prefixLength <= inner.prefixLength && cidrContains(outer, inner.address);
}

/** Whether an address would be in no range without this one. */
export function isNeeded(range: ServiceCIDR, all: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const others = all.filter(({ metadata }) => metadata.name !== range.metadata.name).flatMap(rangesOf);
  const own = rangesOf(range);
  if (own.every((cidr) => others.some((other) => holds(other, cidr)))) return false;
  return addresses.some(({ metadata }) => {
    const address = metadata.labels?.["ipaddress.kubernetes.io/managed-by"] === managedBy ? parseIp(metadata.name ?? "") : undefined;
    if (address === undefined || !own.some((cidr) => cidrContains(cidr, address))) return false;
    return !others.some((cidr) => cidrContains(cidr, address));
  });
}

import { namespaces } from "#api/core/v1/namespace.ts";
import { priorityClasses } from "#api/scheduling/v1/priority-class.ts";
import { serviceCidrs } from "#api/networking/v1/service-cidr.ts";
import { ignoreAlreadyExists } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import type { Client } from "#client/client.ts";

const systemNamespaces = ["kube-system", "kube-public", "kube-node-lease", "default"];

/** The priority classes that system Pods use. Source: apis/scheduling/v1/helpers.go. */
const systemPriorityClasses = [
  {
    name: "system-node-critical",
    value: 2_000_001_000,
    description:
      "Used for system critical pods that must not be moved from their current node.",
  },
  {
    name: "system-cluster-critical",
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
];

/** Makes what every cluster has: system namespaces, priority classes, the Service range. */
export async function ensureSystemObjects(
  client: Client,
  spec: { readonly serviceCidrs: readonly string[]; readonly nowMs: number },
): Promise<void> {
  for (const name of systemNamespaces) {
    await ignoreAlreadyExists(client.resource(namespaces).create({ metadata: { name } } as never));
  }
  for (const { name, value, description } of systemPriorityClasses) {
    await ignoreAlreadyExists(
      client.resource(priorityClasses).create({
        metadata: { name },
        value,
        globalDefault: false,
        description,
        preemptionPolicy: "PreemptLowerPriority",
      } as never),
    );
  }
  await ensureServiceCidr(client, spec);
}

/** The default range, and that it is ready. Source: controlplane/controller/defaultservicecidr. */
async function ensureServiceCidr(
  client: Client,
  { serviceCidrs: cidrs, nowMs }: { readonly serviceCidrs: readonly string[]; readonly nowMs: number },
): Promise<void> {
  const resource = client.resource(serviceCidrs);
  const metadata = { name: "kubernetes" };
  await ignoreAlreadyExists(resource.create({ metadata, spec: { cidrs: [...cidrs] } } as never));
  const { status } = await resource.get("kubernetes");
  if (status?.conditions?.some(({ type }) => type === "Ready")) return;
  const condition = {
    type: "Ready",
    status: "True",
    message: "Kubernetes default Service CIDR is ready",
    lastTransitionTime: rfc3339(nowMs),
  };
  const fieldManager = "kubernetes-service-cidr-controller";
  const ready = { metadata, status: { conditions: [condition] } };
  await resource.apply(ready as never, { fieldManager, force: true, subresource: "status" });
}

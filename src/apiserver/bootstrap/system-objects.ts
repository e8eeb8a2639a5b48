import { namespaces } from "#api/core/v1/namespace.ts";
import { priorityClasses } from "#api/scheduling/v1/priority-class.ts";
import { serviceCidrs } from "#api/networking/v1/service-cidr.ts";
import { isAlreadyExists } from "#apimachinery/status.ts";
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
export async function ensureSystemObjects(client: Client, spec: { serviceCidrs: readonly string[] }): Promise<void> {
  for (const name of systemNamespaces) {
    await ensure(client.resource(namespaces).create({ metadata: { name } } as never));
  }
  for (const { name, value, description } of systemPriorityClasses) {
    await ensure(
      client.resource(priorityClasses).create({
        metadata: { name },
        value,
        globalDefault: false,
        description,
        preemptionPolicy: "PreemptLowerPriority",
      } as never),
    );
  }
  await ensure(
    client.resource(serviceCidrs).create({
      metadata: { name: "kubernetes" },
      spec: { cidrs: [...spec.serviceCidrs] },
    } as never),
  );
}

async function ensure(creation: Promise<unknown>): Promise<void> {
  await creation.catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

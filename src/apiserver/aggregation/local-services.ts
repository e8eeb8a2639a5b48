import { type APIService, apiServices } from "#api/apiregistration/v1/api-service.ts";
import type { Logger } from "#base/log.ts";
import { ignoreAlreadyExists, isConflict, isNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import type { ApiTable } from "../api-table.ts";
import type { LiveSet } from "../storage/live-set.ts";

/** Tells what keeps an APIService: the server's start, or the server as long as it runs. */
export const managedLabel = "kube-aggregator.kubernetes.io/automanaged";

interface Priority {
  readonly group: number;
  readonly version: number;
}

/** Source: pkg/controlplane/apiserver/aggregator.go, cmd/kube-apiserver/app/aggregator.go. */
const groupPriorities: Readonly<Record<string, number>> = {
  "": 18000,
  apps: 17800,
  "events.k8s.io": 17750,
  "authentication.k8s.io": 17700,
  "authorization.k8s.io": 17600,
  autoscaling: 17500,
  batch: 17400,
  "certificates.k8s.io": 17300,
  "networking.k8s.io": 17200,
  policy: 17100,
  "rbac.authorization.k8s.io": 17000,
  "storage.k8s.io": 16800,
  "apiextensions.k8s.io": 16700,
  "admissionregistration.k8s.io": 16700,
  "scheduling.k8s.io": 16600,
  "coordination.k8s.io": 16500,
  "node.k8s.io": 16300,
  "discovery.k8s.io": 16200,
  "resource.k8s.io": 16200,
  "flowcontrol.apiserver.k8s.io": 16100,
  "internal.apiserver.k8s.io": 16000,
  "storagemigration.k8s.io": 15000,
};

/** Where it is not what most have: 15 for `v1`, 9 for betas, 1 for alphas. */
const versionPriorities: Readonly<Record<string, number>> = {
  "/v1": 1,
  "autoscaling/v2": 30,
  "flowcontrol.apiserver.k8s.io/v1": 21,
  "resource.k8s.io/v1": 21,
  "resource.k8s.io/v1beta2": 15,
  "internal.apiserver.k8s.io/v1alpha1": 9,
};

const customPriority: Priority = { group: 1000, version: 100 };

function priorityOf(group: string, version: string): Priority {
  const standard = version.includes("alpha") ? 1 : version.includes("beta") ? 9 : 15;
  return {
    group: groupPriorities[group] ?? customPriority.group,
    version: versionPriorities[`${group}/${version}`] ?? standard,
  };
}

/** The server itself serves this group version; the registration itself is not registered. */
export function localService(group: string, version: string, isCustom: boolean): APIService {
  const priority = isCustom ? customPriority : priorityOf(group, version);
  return {
    metadata: {
      name: `${version}.${group}`,
      labels: { [managedLabel]: isCustom ? "true" : "onstart" },
    },
    spec: {
      ...(group !== "" && { group }),
      version,
      groupPriorityMinimum: priority.group,
      versionPriority: priority.version,
    },
  };
}

function wantedServices(table: ApiTable): Map<string, APIService> {
  const wanted = new Map<string, APIService>();
  for (const { definition } of table.endpoints()) {
    const { group, version, custom } = definition;
    if (group === "apiregistration.k8s.io") continue;
    const service = localService(group, version, custom !== undefined);
    wanted.set(service.metadata.name ?? "", service);
  }
  return wanted;
}

export interface LocalServicesOptions {
  readonly table: ApiTable;
  readonly services: LiveSet<APIService>;
  readonly client: () => Client;
  readonly log: Logger;
}

/** Keeps an APIService for every group version that this server serves itself. */
export function registerLocalServices(options: LocalServicesOptions): Disposable {
  const { table, log } = options;
  let again = false;
  let working = false;
  const run = async (): Promise<void> => {
    again = true;
    if (working) return;
    working = true;
    while (again) {
      again = false;
      await reconcile(options).catch((error: unknown) => {
        log.warn("could not register local API services", { error: String(error) });
      });
    }
    working = false;
  };
  void run();
  return table.onChange(() => void run());
}

async function reconcile({ table, services, client }: LocalServicesOptions): Promise<void> {
  const api = client().resource(apiServices);
  const wanted = wantedServices(table);
  for (const [name, service] of wanted) {
    if (services.get("", name) !== undefined) continue;
    await ignoreAlreadyExists(api.create(service));
  }
  for (const { metadata } of [...services.values()]) {
    const { name = "", labels } = metadata;
    if (labels?.[managedLabel] !== "true" || wanted.has(name)) continue;
    await api.delete(name).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
  }
}

import { type APIService, apiServices } from "#api/apiregistration/v1/api-service.ts";
import type { Logger } from "#base/log.ts";
import { ignoreAlreadyExists, isConflict, isNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import type { ApiTable } from "../api-table.ts";
import { priorityOf } from "../discovery/priorities.ts";
import type { LiveSet } from "../storage/live-set.ts";

/** Tells what keeps an APIService: the server's start, or the server as long as it runs. */
export const managedLabel = "kube-aggregator.kubernetes.io/automanaged";

/** The server itself serves this group version; the registration itself is not registered. */
export function localService(group: string, version: string, isCustom: boolean): APIService {
  const priority = priorityOf({ group, version, isCustom });
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

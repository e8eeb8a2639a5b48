import { type Service, services } from "#api/core/v1/service.ts";
import { ipAddresses } from "#api/networking/v1/ip-address.ts";
import { ignoreNotFound } from "#apimachinery/status.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";

export interface KubernetesServiceSpec {
  /** The first of the range. */
  readonly clusterAddress: string;
  /** Where the servers really listen. */
  readonly port: number;
}

const retryMs = 200;
/** Another server that has the address has made the Service by then, or has died over it. */
const triesMax = 25;

/**
 * The Service `kubernetes`, by which pods find the API servers; it stays as it is once made.
 * Source: pkg/controlplane/controller/kubernetesservice.
 */
export async function ensureKubernetesService(client: Client, clock: Clock, spec: KubernetesServiceSpec): Promise<void> {
  const resource = client.resource(services);
  const isThere = async (): Promise<boolean> => (await ignoreNotFound(resource.get("default/kubernetes"))) !== undefined;
  const service = {
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { component: "apiserver", provider: "kubernetes" },
    },
    spec: {
      ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: spec.port }],
      clusterIP: spec.clusterAddress,
      type: "ClusterIP",
      sessionAffinity: "None",
      ipFamilyPolicy: "SingleStack",
    },
  };
  for (let tries = 1; !(await isThere()); tries++) {
    try {
      await resource.create(service as Service);
      return;
    } catch (error) {
      if (tries > triesMax) throw error;
      if (tries === triesMax) await ignoreNotFound(client.resource(ipAddresses).delete(spec.clusterAddress));
      await clock.sleep(retryMs);
    }
  }
}

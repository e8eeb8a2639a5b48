import { type ClusterRole, clusterRoles } from "#api/rbac/v1/cluster-role.ts";
import { type ClusterRoleBinding, clusterRoleBindings } from "#api/rbac/v1/cluster-role-binding.ts";
import { ignoreAlreadyExists } from "#apimachinery/status.ts";
import type { World } from "#base/world.ts";
import type { Client } from "#client/client.ts";
import { ensureExtensionAuthentication } from "#apiserver/bootstrap/extension-authentication.ts";
import { ensureFlowControl } from "#apiserver/bootstrap/flow-control.ts";
import { ensureLegacyTokenTracking } from "#apiserver/bootstrap/legacy-token-tracking.ts";
import { ensureSystemObjects } from "#apiserver/bootstrap/system-objects.ts";
import { ensureKubernetesService } from "#apiserver/bootstrap/kubernetes-service.ts";
import { reconcileRbac } from "#apiserver/bootstrap/rbac.ts";
import type { ApiServer } from "#apiserver/server.ts";
import { addressAt } from "./addresses.ts";

/** What a fresh API server makes before it calls itself ready. */
export async function bootstrap(
  world: World,
  spec: {
    readonly server: ApiServer;
    readonly serviceCidrs: readonly string[];
    readonly port: number;
    readonly authorities: { readonly clientCaPem: string; readonly frontProxyCaPem: string };
  },
): Promise<void> {
  const client = spec.server.loopback;
  await ensureSystemObjects(client, { serviceCidrs: spec.serviceCidrs, nowMs: world.clock.nowMs() });
  const [range = ""] = spec.serviceCidrs;
  const clusterAddress = addressAt(range, 1);
  await ensureKubernetesService(client, world.clock, { port: spec.port, clusterAddress });
  await ensureLegacyTokenTracking(client, world.clock.nowMs());
  await ensureExtensionAuthentication(client, spec.authorities);
  await reconcileRbac(client);
  await ensureFlowControl(client);
  await spec.server.settled();
  world.log.debug("system objects are in place");
}

const nodeServices = "kubets:node-services";
const readVerbs = ["get", "list", "watch"];

/** What proxy and DNS of a node need beyond the role of upstream's kube-proxy. */
export async function ensureNodeServicesRole(client: Client): Promise<void> {
  await ignoreAlreadyExists(
    client.resource(clusterRoles).create({
      metadata: { name: nodeServices },
      rules: [
        { apiGroups: [""], resources: ["namespaces", "services", "nodes"], verbs: readVerbs },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: [...readVerbs, "create", "update"] },
        { apiGroups: [""], resources: ["services"], verbs: ["create"] },
      ],
    } as ClusterRole),
  );
  await ignoreAlreadyExists(
    client.resource(clusterRoleBindings).create({
      metadata: { name: nodeServices },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: nodeServices },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: nodeServices }],
    } as ClusterRoleBinding),
  );
}

import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { ignoreNotFound, isAlreadyExists, isConflict } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import { frontProxyNames, requestHeaders } from "../authentication/request-header.ts";

const namespace = "kube-system";
const name = "extension-apiserver-authentication";

/**
 * Publishes how extension servers know this one and its clients.
 * Source: pkg/controlplane/controller/clusterauthenticationtrust.
 */
export async function ensureExtensionAuthentication(
  client: Client,
  authorities: { readonly clientCaPem: string; readonly frontProxyCaPem: string },
): Promise<void> {
  const api = client.resource(configMaps);
  const data = {
    "client-ca-file": authorities.clientCaPem,
    "requestheader-allowed-names": JSON.stringify(frontProxyNames),
    "requestheader-client-ca-file": authorities.frontProxyCaPem,
    "requestheader-extra-headers-prefix": JSON.stringify([requestHeaders.extraPrefix]),
    "requestheader-group-headers": JSON.stringify([requestHeaders.group]),
    "requestheader-uid-headers": JSON.stringify([requestHeaders.uid]),
    "requestheader-username-headers": JSON.stringify([requestHeaders.user]),
  };
  const existing = await ignoreNotFound(api.get(`${namespace}/${name}`));
  const write =
    existing === undefined
      ? api.create({ metadata: { namespace, name }, data } as ConfigMap)
      : api.update({ ...existing, data: { ...existing.data, ...data } });
  // Another server of the cluster may do the same just now.
  await write.catch((error: unknown) => {
    if (!isAlreadyExists(error) && !isConflict(error)) throw error;
  });
}

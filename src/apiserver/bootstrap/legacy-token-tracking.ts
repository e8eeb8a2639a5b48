import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { dayOf, dayStartMs, trackingConfigMap as name } from "#api/core/v1/legacy-tokens.ts";
import { ignoreNotFound, isAlreadyExists, isConflict } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";

const namespace = "kube-system";

/** Writes down since when use of tokens is followed. Source: pkg/controlplane/controller/legacytokentracking. */
export async function ensureLegacyTokenTracking(client: Client, nowMs: number): Promise<void> {
  const api = client.resource(configMaps);
  const found = await ignoreNotFound(api.get(`${namespace}/${name}`));
  if (dayStartMs(found?.data?.["since"]) !== undefined) return;
  const data = { since: dayOf(nowMs) };
  const write = found === undefined ? api.create({ metadata: { namespace, name }, data } as ConfigMap) : api.update({ ...found, data });
  // Another server of the cluster may do the same just now.
  await write.catch((error: unknown) => {
    if (!isAlreadyExists(error) && !isConflict(error)) throw error;
  });
}

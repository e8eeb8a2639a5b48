import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { secrets } from "#api/core/v1/secret.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { defineController, done, watchOf } from "../framework/controller.ts";
import { detachedSignature, tokenNamespace, tokenOf } from "./token.ts";

const clusterInfoKey = "kube-public/cluster-info";
const signaturePrefix = "jws-kubeconfig-";

/** Source: pkg/controller/bootstrap/bootstrapsigner.go. */
export const bootstrapSigner = defineController<ConfigMap>({
  name: "bootstrap-signer-controller",
  account: "bootstrap-signer",
  disabledByDefault: true,
  for: configMaps,
  watches: [watchOf(secrets, { keys: ({ metadata }) => (metadata.namespace === tokenNamespace ? [clusterInfoKey] : []) })],
  async reconcile(context) {
    const info = context.key === clusterInfoKey ? context.get() : undefined;
    const kubeconfig = info?.data?.["kubeconfig"];
    if (info === undefined || kubeconfig === undefined) return done;
    const nowMs = context.clock.nowMs();
    const tokens = context
      .lister(secrets)
      .inNamespace(tokenNamespace)
      .map(tokenOf)
      .filter((token) => token !== undefined)
      .filter(({ signs, expiresMs }) => signs && expiresMs > nowMs);
    const others = Object.entries(info.data ?? {}).filter(([key]) => !key.startsWith(signaturePrefix));
    const signatures = tokens.map((token): [string, string] => [`${signaturePrefix}${token.id}`, detachedSignature(kubeconfig, token)]);
    const data = Object.fromEntries([...others, ...signatures]);
    if (!deepEqual(data, info.data)) await context.resource(configMaps).update({ ...info, data });
    const firstMs = Math.min(...tokens.map(({ expiresMs }) => expiresMs));
    return firstMs === Infinity ? done : { requeueAfterMs: firstMs - nowMs };
  },
});

import { configMaps } from "#api/core/v1/config-map.ts";
import { namespaces } from "#api/core/v1/namespace.ts";
import { isAlreadyExists } from "#apimachinery/status.ts";
import { defineController, done, watchOf } from "../framework/controller.ts";
import { isNamespaceTerminating } from "../framework/pods.ts";

const name = "kube-root-ca.crt";
const descriptionKey = "kubernetes.io/description";
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints " +
  "such as the internal service IP or kubernetes.default.svc. " +
  "No other usage is guaranteed across distributions of Kubernetes clusters.";

/**
 * Publishes the cluster's CA as a ConfigMap in every namespace.
 * Source: pkg/controller/certificates/rootcacertpublisher.
 */
export const rootCaPublisher = defineController({
  name: "root-ca-certificate-publisher-controller",
  account: "root-ca-cert-publisher",
  for: namespaces,
  watches: [
    watchOf(configMaps, {
      keys: ({ metadata }) => (metadata?.name === name ? [metadata.namespace ?? ""] : []),
    }),
  ],
  async reconcile(context) {
    const { rootCa } = context.settings;
    const namespace = context.get();
    if (
      rootCa === undefined ||
      namespace === undefined ||
      namespace.status?.phase === "Terminating"
    )
      return done;
    const data = { "ca.crt": rootCa };
    const annotations = { [descriptionKey]: description };
    const current = context.lister(configMaps).get(`${context.key}/${name}`);
    if (current === undefined) {
      const metadata = { namespace: context.key, name, annotations };
      await context
        .resource(configMaps)
        .create({ metadata, data })
        .catch((error: unknown) => {
          if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
        });
      return done;
    }
    const keys = Object.keys(current.data ?? {});
    const right = keys.length === 1 && current.data?.["ca.crt"] === rootCa;
    if (right && current.metadata?.annotations?.[descriptionKey] !== undefined) return done;
    const metadata = {
      ...current.metadata,
      annotations: { ...current.metadata?.annotations, ...annotations },
    };
    await context.resource(configMaps).update({ ...current, metadata, data });
    return done;
  },
});

import { clusterTrustBundles as stored } from "../v1beta1/cluster-trust-bundle.ts";
import { sameShape } from "#api/strategies.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, req, string, struct } from "#apimachinery/schema.ts";

export const ClusterTrustBundleSpec = struct(
  "io.k8s.api.certificates.v1alpha1.ClusterTrustBundleSpec",
  {
    signerName: opt(1, string),
    trustBundle: req(2, string),
  },
);
export interface ClusterTrustBundleSpec extends Infer<typeof ClusterTrustBundleSpec> {}

export const ClusterTrustBundle = kind("io.k8s.api.certificates.v1alpha1.ClusterTrustBundle", {
  metadata,
  spec: req(2, ClusterTrustBundleSpec),
});
export interface ClusterTrustBundle extends Infer<typeof ClusterTrustBundle> {}

export const clusterTrustBundles = defineResource<ClusterTrustBundle>({
  group: "certificates.k8s.io",
  version: "v1alpha1",
  kind: "ClusterTrustBundle",
  plural: "clustertrustbundles",
  featureGate: "ClusterTrustBundle",
  scope: "Cluster",
  schema: ClusterTrustBundle,
  conversion: sameShape,
  strategy: stored.strategy,
  columns: stored.columns,
  fieldSelectors: stored.fieldSelectors,
  storage: { version: "v1beta1" },
});

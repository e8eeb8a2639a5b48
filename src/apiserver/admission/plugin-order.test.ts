import assert from "node:assert/strict";
import { test } from "node:test";
import { enabledPlugins } from "./plugin-order.ts";

/** Source: pkg/kubeapiserver/options/plugins.go DefaultOffAdmissionPlugins. */
const onByDefault = [
  "NamespaceLifecycle", "LimitRanger", "ServiceAccount", "TaintNodesByCondition", "PodSecurity", "Priority",
  "DefaultTolerationSeconds", "DefaultStorageClass", "StorageObjectInUseProtection", "PodGroupProtection",
  "PersistentVolumeClaimResize", "RuntimeClass", "CertificateApproval", "CertificateSigning",
  "ClusterTrustBundleAttest", "CertificateSubjectRestriction", "DefaultIngressClass", "PodTopologyLabels",
  "PodGroupWorkloadExists", "NodeDeclaredFeatureValidator", "JobValidation", "PodResizeValidator",
  "MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook",
  "ResourceQuota",
];

test("the plugins that upstream has on by default run, in its order", () => {
  assert.deepEqual(enabledPlugins({ enable: [], disable: [] }), onByDefault);
});

test("plugins are added at their place, and left out", () => {
  const names: string[] = enabledPlugins({ enable: ["AlwaysDeny", "NamespaceAutoProvision"], disable: ["ResourceQuota", "EventRateLimit"] });
  assert.deepEqual(names, ["NamespaceAutoProvision", ...onByDefault.filter((name) => name !== "ResourceQuota"), "AlwaysDeny"]);
});

test("names that nobody knows, and those of both lists, are refused in upstream's words", () => {
  assert.throws(() => enabledPlugins({ enable: ["Nonsense"], disable: [] }), { message: 'enable-admission-plugins plugin "Nonsense" is unknown' });
  assert.throws(() => enabledPlugins({ enable: ["Priority", "A"], disable: ["B", "Priority"] }), {
    message:
      '[enable-admission-plugins plugin "A" is unknown, disable-admission-plugins plugin "B" is unknown, ' +
      "[Priority] in enable-admission-plugins and disable-admission-plugins overlapped]",
  });
});

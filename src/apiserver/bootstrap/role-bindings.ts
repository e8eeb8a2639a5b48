import type { BindingSpec } from "./rbac-policy.ts";

/** Default bindings, cluster-wide and in the system namespaces. */
export const bindings: readonly BindingSpec[] = [
  { name: "cluster-admin", clusterRole: "cluster-admin", subjects: ["group:system:masters"] },
  { name: "system:basic-user", clusterRole: "system:basic-user", subjects: ["group:system:authenticated"] },
  { name: "system:discovery", clusterRole: "system:discovery", subjects: ["group:system:authenticated"] },
  {
    name: "system:kube-controller-manager",
    clusterRole: "system:kube-controller-manager",
    subjects: ["user:system:kube-controller-manager"],
  },
  { name: "system:kube-dns", clusterRole: "system:kube-dns", subjects: ["sa:kube-system/kube-dns"] },
  { name: "system:kube-scheduler", clusterRole: "system:kube-scheduler", subjects: ["user:system:kube-scheduler"] },
  { name: "system:monitoring", clusterRole: "system:monitoring", subjects: ["group:system:monitoring"] },
  { name: "system:node", clusterRole: "system:node", subjects: [] },
  { name: "system:node-proxier", clusterRole: "system:node-proxier", subjects: ["user:system:kube-proxy"] },
  {
    name: "system:public-info-viewer",
    clusterRole: "system:public-info-viewer",
    subjects: ["group:system:authenticated", "group:system:unauthenticated"],
  },
  {
    name: "system:service-account-issuer-discovery",
    clusterRole: "system:service-account-issuer-discovery",
    subjects: ["group:system:serviceaccounts"],
  },
  { name: "system:volume-scheduler", clusterRole: "system:volume-scheduler", subjects: ["user:system:kube-scheduler"] },
  {
    name: "system:controller:attachdetach-controller",
    clusterRole: "system:controller:attachdetach-controller",
    subjects: ["sa:kube-system/attachdetach-controller"],
  },
  {
    name: "system:controller:certificate-controller",
    clusterRole: "system:controller:certificate-controller",
    subjects: ["sa:kube-system/certificate-controller"],
  },
  {
    name: "system:controller:clusterrole-aggregation-controller",
    clusterRole: "system:controller:clusterrole-aggregation-controller",
    subjects: ["sa:kube-system/clusterrole-aggregation-controller"],
  },
  {
    name: "system:controller:cronjob-controller",
    clusterRole: "system:controller:cronjob-controller",
    subjects: ["sa:kube-system/cronjob-controller"],
  },
  {
    name: "system:controller:daemon-set-controller",
    clusterRole: "system:controller:daemon-set-controller",
    subjects: ["sa:kube-system/daemon-set-controller"],
  },
  {
    name: "system:controller:deployment-controller",
    clusterRole: "system:controller:deployment-controller",
    subjects: ["sa:kube-system/deployment-controller"],
  },
  {
    name: "system:controller:device-taint-eviction-controller",
    clusterRole: "system:controller:device-taint-eviction-controller",
    subjects: ["sa:kube-system/device-taint-eviction-controller"],
  },
  {
    name: "system:controller:disruption-controller",
    clusterRole: "system:controller:disruption-controller",
    subjects: ["sa:kube-system/disruption-controller"],
  },
  {
    name: "system:controller:endpoint-controller",
    clusterRole: "system:controller:endpoint-controller",
    subjects: ["sa:kube-system/endpoint-controller"],
  },
  {
    name: "system:controller:endpointslice-controller",
    clusterRole: "system:controller:endpointslice-controller",
    subjects: ["sa:kube-system/endpointslice-controller"],
  },
  {
    name: "system:controller:endpointslicemirroring-controller",
    clusterRole: "system:controller:endpointslicemirroring-controller",
    subjects: ["sa:kube-system/endpointslicemirroring-controller"],
  },
  {
    name: "system:controller:ephemeral-volume-controller",
    clusterRole: "system:controller:ephemeral-volume-controller",
    subjects: ["sa:kube-system/ephemeral-volume-controller"],
  },
  {
    name: "system:controller:expand-controller",
    clusterRole: "system:controller:expand-controller",
    subjects: ["sa:kube-system/expand-controller"],
  },
  {
    name: "system:controller:generic-garbage-collector",
    clusterRole: "system:controller:generic-garbage-collector",
    subjects: ["sa:kube-system/generic-garbage-collector"],
  },
  {
    name: "system:controller:horizontal-pod-autoscaler",
    clusterRole: "system:controller:horizontal-pod-autoscaler",
    subjects: ["sa:kube-system/horizontal-pod-autoscaler"],
  },
  {
    name: "system:controller:job-controller",
    clusterRole: "system:controller:job-controller",
    subjects: ["sa:kube-system/job-controller"],
  },
  {
    name: "system:controller:legacy-service-account-token-cleaner",
    clusterRole: "system:controller:legacy-service-account-token-cleaner",
    subjects: ["sa:kube-system/legacy-service-account-token-cleaner"],
  },
  {
    name: "system:controller:namespace-controller",
    clusterRole: "system:controller:namespace-controller",
    subjects: ["sa:kube-system/namespace-controller"],
  },
  {
    name: "system:controller:node-controller",
    clusterRole: "system:controller:node-controller",
    subjects: ["sa:kube-system/node-controller"],
  },
  {
    name: "system:controller:persistent-volume-binder",
    clusterRole: "system:controller:persistent-volume-binder",
    subjects: ["sa:kube-system/persistent-volume-binder"],
  },
  {
    name: "system:controller:pod-garbage-collector",
    clusterRole: "system:controller:pod-garbage-collector",
    subjects: ["sa:kube-system/pod-garbage-collector"],
  },
  {
    name: "system:controller:pv-protection-controller",
    clusterRole: "system:controller:pv-protection-controller",
    subjects: ["sa:kube-system/pv-protection-controller"],
  },
  {
    name: "system:controller:pvc-protection-controller",
    clusterRole: "system:controller:pvc-protection-controller",
    subjects: ["sa:kube-system/pvc-protection-controller"],
  },
  {
    name: "system:controller:replicaset-controller",
    clusterRole: "system:controller:replicaset-controller",
    subjects: ["sa:kube-system/replicaset-controller"],
  },
  {
    name: "system:controller:replication-controller",
    clusterRole: "system:controller:replication-controller",
    subjects: ["sa:kube-system/replication-controller"],
  },
  {
    name: "system:controller:resource-claim-controller",
    clusterRole: "system:controller:resource-claim-controller",
    subjects: ["sa:kube-system/resource-claim-controller"],
  },
  {
    name: "system:controller:resourcequota-controller",
    clusterRole: "system:controller:resourcequota-controller",
    subjects: ["sa:kube-system/resourcequota-controller"],
  },
  {
    name: "system:controller:root-ca-cert-publisher",
    clusterRole: "system:controller:root-ca-cert-publisher",
    subjects: ["sa:kube-system/root-ca-cert-publisher"],
  },
  {
    name: "system:controller:route-controller",
    clusterRole: "system:controller:route-controller",
    subjects: ["sa:kube-system/route-controller"],
  },
  {
    name: "system:controller:selinux-warning-controller",
    clusterRole: "system:controller:selinux-warning-controller",
    subjects: ["sa:kube-system/selinux-warning-controller"],
  },
  {
    name: "system:controller:service-account-controller",
    clusterRole: "system:controller:service-account-controller",
    subjects: ["sa:kube-system/service-account-controller"],
  },
  {
    name: "system:controller:service-ca-cert-publisher",
    clusterRole: "system:controller:service-ca-cert-publisher",
    subjects: ["sa:kube-system/service-ca-cert-publisher"],
  },
  {
    name: "system:controller:service-cidrs-controller",
    clusterRole: "system:controller:service-cidrs-controller",
    subjects: ["sa:kube-system/service-cidrs-controller"],
  },
  {
    name: "system:controller:service-controller",
    clusterRole: "system:controller:service-controller",
    subjects: ["sa:kube-system/service-controller"],
  },
  {
    name: "system:controller:statefulset-controller",
    clusterRole: "system:controller:statefulset-controller",
    subjects: ["sa:kube-system/statefulset-controller"],
  },
  {
    name: "system:controller:ttl-after-finished-controller",
    clusterRole: "system:controller:ttl-after-finished-controller",
    subjects: ["sa:kube-system/ttl-after-finished-controller"],
  },
  {
    name: "system:controller:ttl-controller",
    clusterRole: "system:controller:ttl-controller",
    subjects: ["sa:kube-system/ttl-controller"],
  },
  {
    name: "system:controller:validatingadmissionpolicy-status-controller",
    clusterRole: "system:controller:validatingadmissionpolicy-status-controller",
    subjects: ["sa:kube-system/validatingadmissionpolicy-status-controller"],
  },
  {
    name: "system:controller:volumeattributesclass-protection-controller",
    clusterRole: "system:controller:volumeattributesclass-protection-controller",
    subjects: ["sa:kube-system/volumeattributesclass-protection-controller"],
  },
  {
    name: "system:controller:bootstrap-signer",
    namespace: "kube-public",
    role: "system:controller:bootstrap-signer",
    subjects: ["sa:kube-system/bootstrap-signer"],
  },
  {
    name: "system::extension-apiserver-authentication-reader",
    namespace: "kube-system",
    role: "extension-apiserver-authentication-reader",
    subjects: ["user:system:kube-controller-manager", "user:system:kube-scheduler"],
  },
  {
    name: "system::leader-locking-kube-controller-manager",
    namespace: "kube-system",
    role: "system::leader-locking-kube-controller-manager",
    subjects: [
      "user:system:kube-controller-manager",
      "sa:kube-system/kube-controller-manager",
      "sa:kube-system/leader-election-controller",
    ],
  },
  {
    name: "system::leader-locking-kube-scheduler",
    namespace: "kube-system",
    role: "system::leader-locking-kube-scheduler",
    subjects: ["user:system:kube-scheduler", "sa:kube-system/kube-scheduler"],
  },
  {
    name: "system:controller:bootstrap-signer",
    namespace: "kube-system",
    role: "system:controller:bootstrap-signer",
    subjects: ["sa:kube-system/bootstrap-signer"],
  },
  {
    name: "system:controller:cloud-provider",
    namespace: "kube-system",
    role: "system:controller:cloud-provider",
    subjects: ["sa:kube-system/cloud-provider"],
  },
  {
    name: "system:controller:token-cleaner",
    namespace: "kube-system",
    role: "system:controller:token-cleaner",
    subjects: ["sa:kube-system/token-cleaner"],
  },
];

import { named, type RoleSpec, rule } from "./rbac-policy.ts";

/** Roles in the system namespaces. Source: rbac/bootstrappolicy/namespace_policy.go. */
export const namespaceRoles: readonly RoleSpec[] = [
  {
    name: "system:controller:bootstrap-signer",
    namespace: "kube-public",
    rules: [
      rule("get list watch", "\"\"", "configmaps"),
      named("update", { groups: "\"\"", resources: "configmaps", names: "cluster-info" }),
      rule("create patch update", "\"\" events.k8s.io", "events"),
    ],
  },
  {
    name: "extension-apiserver-authentication-reader",
    namespace: "kube-system",
    rules: [
      named("get list watch", { groups: "\"\"", resources: "configmaps", names: "extension-apiserver-authentication" }),
    ],
  },
  {
    name: "system::leader-locking-kube-controller-manager",
    namespace: "kube-system",
    rules: [
      rule("create get list update watch", "coordination.k8s.io", "leases"),
      rule("create get list update watch", "coordination.k8s.io", "leasecandidates"),
    ],
  },
  {
    name: "system::leader-locking-kube-scheduler",
    namespace: "kube-system",
    rules: [
      rule("create get list update watch", "coordination.k8s.io", "leases"),
      rule("create get list update watch", "coordination.k8s.io", "leasecandidates"),
    ],
  },
  {
    name: "system:controller:bootstrap-signer",
    namespace: "kube-system",
    rules: [
      rule("get list watch", "\"\"", "secrets"),
    ],
  },
  {
    name: "system:controller:cloud-provider",
    namespace: "kube-system",
    rules: [
      rule("create get list watch", "\"\"", "configmaps"),
    ],
  },
  {
    name: "system:controller:token-cleaner",
    namespace: "kube-system",
    rules: [
      rule("delete get list watch", "\"\"", "secrets"),
      rule("create patch update", "\"\" events.k8s.io", "events"),
    ],
  },
];

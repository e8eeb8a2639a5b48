/** Where a group stands among groups, and a version in its group: the highest comes first. */
export interface Priority {
  readonly group: number;
  readonly version: number;
}

/** Source: pkg/controlplane/apiserver/aggregator.go, cmd/kube-apiserver/app/aggregator.go. */
const groupPriorities: Readonly<Record<string, number>> = {
  "apiregistration.k8s.io": 20000,
  "": 18000,
  apps: 17800,
  "events.k8s.io": 17750,
  "authentication.k8s.io": 17700,
  "authorization.k8s.io": 17600,
  autoscaling: 17500,
  batch: 17400,
  "certificates.k8s.io": 17300,
  "networking.k8s.io": 17200,
  policy: 17100,
  "rbac.authorization.k8s.io": 17000,
  "storage.k8s.io": 16800,
  "apiextensions.k8s.io": 16700,
  "admissionregistration.k8s.io": 16700,
  "scheduling.k8s.io": 16600,
  "coordination.k8s.io": 16500,
  "node.k8s.io": 16300,
  "discovery.k8s.io": 16200,
  "resource.k8s.io": 16200,
  "flowcontrol.apiserver.k8s.io": 16100,
  "internal.apiserver.k8s.io": 16000,
  "storagemigration.k8s.io": 15000,
};

/** Where it is not what most have: 15 for `v1`, 9 for betas, 1 for alphas. */
const versionPriorities: Readonly<Record<string, number>> = {
  "/v1": 1,
  "autoscaling/v2": 30,
  "flowcontrol.apiserver.k8s.io/v1": 21,
  "resource.k8s.io/v1": 21,
  "resource.k8s.io/v1beta2": 15,
  "internal.apiserver.k8s.io/v1alpha1": 9,
};

const customPriority: Priority = { group: 1000, version: 100 };

interface LocalVersion {
  readonly group: string;
  readonly version: string;
  /** Made by CustomResourceDefinitions. */
  readonly isCustom: boolean;
}

/** Of what this server serves itself; registrations of other servers tell their own. */
export function priorityOf({ group, version, isCustom }: LocalVersion): Priority {
  if (isCustom) return customPriority;
  const standard = version.includes("alpha") ? 1 : version.includes("beta") ? 9 : 15;
  return {
    group: groupPriorities[group] ?? customPriority.group,
    version: versionPriorities[`${group}/${version}`] ?? standard,
  };
}

/** The release of Kubernetes that this one does as. */
export const kubernetesRelease = "v1.36.2";

/** What answers: `gitVersion`, and the version of kubelets. */
export const kubetsVersion = `${kubernetesRelease}+kubets`;

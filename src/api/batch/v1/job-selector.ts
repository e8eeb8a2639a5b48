/** Labels by which a Job finds its Pods unless the user selects them. */
export const controllerUidLabel = "batch.kubernetes.io/controller-uid";
export const jobNameLabel = "batch.kubernetes.io/job-name";

/** Names of the time before labels had prefixes; Pods still get them. */
const legacyControllerUidLabel = "controller-uid";
const legacyJobNameLabel = "job-name";

export function generatedLabels(name: string, uid: string): Record<string, string> {
  return {
    [legacyJobNameLabel]: name,
    [jobNameLabel]: name,
    [legacyControllerUidLabel]: uid,
    [controllerUidLabel]: uid,
  };
}

import type { PodGroup } from "#api/scheduling/v1alpha2/pod-group.ts";
import type { Workload } from "#api/scheduling/v1alpha2/workload.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { forbid, isAbout } from "../request.ts";

function isNewGroup(request: AdmissionRequest): boolean {
  return request.operation === "CREATE" && isAbout(request, "scheduling.k8s.io", "podgroups");
}

/** A group is made of a template that there is. `workloads`: absent where they are not served. Source: plugin/pkg/admission/podgroup. */
export function podGroupWorkloadExists(workloads: Pick<LiveSet<Workload>, "get"> | undefined): AdmissionPlugin {
  return {
    name: "PodGroupWorkloadExists",
    handles: isNewGroup,
    validate(request) {
      const wanted = (request.object as PodGroup).spec.podGroupTemplateRef?.workload;
      if (wanted === undefined) return;
      const { workloadName, podGroupTemplateName } = wanted;
      const workload = workloads?.get(request.call.namespace, workloadName);
      const shown = JSON.stringify(workloadName);
      if (workload === undefined) throw forbid(request, `PodGroup rejected: Workload ${shown} not found`);
      if (workload.spec.podGroupTemplates.some(({ name }) => name === podGroupTemplateName)) return;
      throw forbid(request, `PodGroup rejected: PodGroupTemplate ${JSON.stringify(podGroupTemplateName)} not found in Workload ${shown}`);
    },
  };
}

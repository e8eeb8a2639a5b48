import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { forbid, isAbout } from "../request.ts";

/**
 * A pod is resized only on a node that there is. What a resize asks of a node beyond that, all of
 * our kubelets can do. Source: plugin/pkg/admission/nodedeclaredfeatures.
 */
export function nodeDeclaredFeatureValidator(nodes: LiveSet<Node>): AdmissionPlugin {
  return {
    name: "NodeDeclaredFeatureValidator",
    handles: (request) => request.operation === "UPDATE" && isAbout(request, "", "pods", "resize"),
    validate(request) {
      const { spec } = request.object as Pod;
      const node = spec?.nodeName ?? "";
      if (node === "" || nodes.get("", node) !== undefined) return;
      const resourcesOf = (pod: Pod): unknown =>
        [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map(
          ({ resources }) => resources,
        );
      if (deepEqual(resourcesOf(request.object as Pod), resourcesOf(request.oldObject as Pod))) {
        return;
      }
      throw forbid(request, `node ${JSON.stringify(node)} not found`);
    },
  };
}

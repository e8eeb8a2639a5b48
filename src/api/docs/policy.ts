import type { Docs } from "./docs.ts";

/** `k8s.io/api/policy/v1`. */
export const policyDocs: Docs = {
  Eviction: {
    "": "Asks for the end of a Pod, unless a PodDisruptionBudget speaks against it. Posted to the Pod's eviction subresource.",
    deleteOptions: "How the Pod is deleted.",
  },
  PodDisruptionBudget: { "": "Bounds how many Pods of a set may be ended on purpose at one time." },
  PodDisruptionBudgetSpec: {
    "": "What is wanted of a budget. Either minAvailable or maxUnavailable is given.",
    minAvailable: "How many of the selected Pods must stay after an eviction: a number, or a percentage.",
    selector: "Labels of the Pods that the budget is about. An empty selector takes all Pods of the namespace, an absent one takes none.",
    maxUnavailable: "How many of the selected Pods may be missing after an eviction: a number, or a percentage.",
    unhealthyPodEvictionPolicy:
      "When Pods that are not ready may be evicted: IfHealthyBudget only while enough others are, AlwaysAllow whatever the budget says.",
  },
  PodDisruptionBudgetStatus: {
    "": "What a budget allows now.",
    disruptedPods: "Pods whose eviction was granted and that are not seen as ended yet, with the time of the grant.",
    disruptionsAllowed: "How many Pods may be evicted now.",
    currentHealthy: "How many of the Pods are ready.",
    desiredHealthy: "How many of the Pods must be ready.",
    expectedPods: "How many Pods the budget counts.",
  },
};

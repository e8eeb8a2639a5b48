import { hintedByTerms } from "./hints.ts";
import { affinityFilter } from "./filter.ts";
import { affinityScorer } from "./score.ts";
import { definePlugin } from "../../framework.ts";

export interface InterPodAffinityArgs {
  /** Of a required term of a pod that runs already, as a wish to have the new one beside it. */
  readonly hardPodAffinityWeight: number;
  readonly ignorePreferredTermsOfExistingPods: boolean;
}

/** Puts pods beside others, or apart from them. Source: scheduler InterPodAffinity. */
export const interPodAffinity = definePlugin<InterPodAffinityArgs>({
  name: "InterPodAffinity",
  args: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false },
  readArgs(given) {
    const { hardPodAffinityWeight = 1, ignorePreferredTermsOfExistingPods = false } = (given ??
      {}) as Partial<InterPodAffinityArgs>;
    if (!(hardPodAffinityWeight >= 0 && hardPodAffinityWeight <= 100)) {
      throw new Error(`hardPodAffinityWeight: Invalid value: ${hardPodAffinityWeight}: not in valid range [0-100]`);
    }
    return { hardPodAffinityWeight, ignorePreferredTermsOfExistingPods };
  },
  enqueueOn: hintedByTerms,
  filter: affinityFilter,
  score: affinityScorer,
});

import type { TopologySpreadConstraint } from "#api/core/v1/pod-spec.ts";
import { getOwn } from "#apimachinery/maps.ts";
import { type Context, definePlugin, type NodeFilter, unresolvable, unschedulable } from "../../framework.ts";
import type { PodInfo } from "../../pod-info.ts";
import { type Constraint, compileConstraints, hasAllKeys, type WhenUnsatisfiable } from "./constraint.ts";
import { defaultSelector } from "./default-selector.ts";
import { createDomains } from "./domains.ts";
import { spreadHints } from "./hints.ts";
import { spreadScorer } from "./score.ts";
import { readSpreadArgs, type SpreadArgs } from "./args.ts";

const missingLabel = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");
const tooSkewed = unschedulable("node(s) didn't match pod topology spread constraints");

/** Spreads pods over zones, nodes and other domains. Source: scheduler PodTopologySpread. */
export const podTopologySpread = definePlugin<SpreadArgs>({
  name: "PodTopologySpread",
  args: readSpreadArgs(undefined),
  readArgs: readSpreadArgs,
  enqueueOn: spreadHints,
  filter: (pod, context) => spreadFilter(pod, constraintsOf(pod, context, "DoNotSchedule"), context),
  score(pod, context) {
    const constraints = constraintsOf(pod, context, "ScheduleAnyway");
    if (constraints.length === 0) return undefined;
    const own = ownConstraints(pod).length > 0;
    return spreadScorer(pod, constraints, {
      cluster: context.cluster,
      allKeys: own || !context.args.systemDefaults,
    });
  },
});

function ownConstraints({ pod }: PodInfo): readonly TopologySpreadConstraint[] {
  return pod.spec.topologySpreadConstraints ?? [];
}

/** The pod's own; for a pod without any, those of the profile, over its kin. */
function constraintsOf(pod: PodInfo, { args, listers }: Context<SpreadArgs>, when: WhenUnsatisfiable): Constraint[] {
  const own = ownConstraints(pod);
  if (own.length > 0) return compileConstraints(pod, own, { when });
  const defaults = args.defaultConstraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when);
  if (defaults.length === 0) return [];
  const selector = defaultSelector(pod, listers);
  return selector === undefined ? [] : compileConstraints(pod, defaults, { when, selector });
}

function spreadFilter(
  pod: PodInfo,
  constraints: readonly Constraint[],
  { cluster }: Context<SpreadArgs>,
): NodeFilter | undefined {
  if (constraints.length === 0) return undefined;
  const counted = constraints.map((constraint) => ({
    ...constraint,
    self: constraint.selector.matches(pod.labels) ? 1 : 0,
    domains: createDomains(cluster.nodes, constraint, {
      namespace: pod.namespace,
      counts: (node) => hasAllKeys(node, constraints),
    }),
  }));
  return {
    check(node) {
      for (const { topologyKey, domains, self, minDomains, maxSkew } of counted) {
        const part = domains.partOf(node);
        const value = part?.value ?? getOwn(node.labels, topologyKey);
        if (value === undefined) return missingLabel;
        const least = domains.size < minDomains ? 0 : domains.least;
        const pods = part?.domain.pods ?? domains.countOf(value);
        if (pods + self - least > maxSkew) return tooSkewed;
      }
      return undefined;
    },
    changed(node) {
      let others = false;
      for (const { domains } of counted) others = domains.changed(node) || others;
      return others;
    },
  };
}

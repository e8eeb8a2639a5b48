import { type ClusterRole, clusterRoles } from "#api/rbac/v1/cluster-role.ts";
import type { PolicyRule } from "#api/rbac/v1/policy-rule.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { labelSelectorOf } from "#apimachinery/selectors.ts";
import { defineController, done, watchOf } from "../framework/controller.ts";

/** Fills ClusterRoles with the rules of those they select. Source: pkg/controller/clusterroleaggregation. */
export const clusterRoleAggregationController = defineController({
  name: "clusterrole-aggregation-controller",
  for: clusterRoles,
  workers: 5,
  watches: [
    watchOf(clusterRoles, {
      keys: (_role, context) =>
        context
          .lister(clusterRoles)
          .list()
          .filter((role) => role.aggregationRule)
          .map(({ metadata }) => metadata.name ?? ""),
    }),
  ],
  async reconcile(context) {
    const role = context.get();
    if (role?.aggregationRule === undefined) return done;
    const rules = aggregate(role, context.lister(clusterRoles).list());
    if (deepEqual(rules, role.rules ?? [])) return done;
    const { name } = role.metadata;
    await context
      .resource(clusterRoles)
      .apply(
        { metadata: { name }, rules },
        { fieldManager: "clusterrole-aggregation-controller", force: true },
      );
    return done;
  },
});

/** Rules of the selected roles in the order of selectors, then of names, each once. */
export function aggregate(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const rules: PolicyRule[] = [];
  for (const source of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = labelSelectorOf(source);
    const selected = all.filter(
      ({ metadata }) => selector.matches(metadata.labels) && metadata.name !== role.metadata.name,
    );
    const named = selected.toSorted((a, b) =>
      (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1,
    );
    for (const rule of named.flatMap((each) => each.rules ?? [])) {
      if (!rules.some((known) => deepEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
}

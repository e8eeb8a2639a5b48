import type { NodeSelectorTerm } from "./node-selector.ts";

/** Labels of nodes that have a newer name. Source: pkg/api/node/util.go. */
const newerLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region":
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone":
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type":
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** What to use instead; undefined for labels that are current. */
export function nodeLabelNotice(label: string): string | undefined {
  return Object.hasOwn(newerLabels, label) ? newerLabels[label] : undefined;
}

export function nodeSelectorTermWarnings(term: NodeSelectorTerm, path: string): string[] {
  return (term.matchExpressions ?? []).flatMap(({ key }, i) => {
    const notice = nodeLabelNotice(key);
    return notice === undefined ? [] : [`${path}.matchExpressions[${i}].key: ${key} is ${notice}`];
  });
}

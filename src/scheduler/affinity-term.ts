/** Terms of pod affinity, compiled. Source: scheduler framework AffinityTerm. */
import type { PodAffinityTerm } from "#api/core/v1/affinity.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Labels } from "#apimachinery/label-requirement.ts";
import { isEverything, labelSelectorOf, nothing, type Selector } from "#apimachinery/selectors.ts";

export interface AffinityTerm {
  readonly topologyKey: string;
  readonly selector: Selector;
  readonly namespaces: ReadonlySet<string>;
  /** Of further namespaces, by their labels; matches nothing when absent. */
  readonly namespaceSelector: Selector;
  /** 0 for required terms. */
  readonly weight: number;
}

/** Labels of a namespace; undefined for one unknown. */
export type NamespaceLabels = (namespace: string) => Labels | undefined;

export interface AffinityTerms {
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
}

const none: AffinityTerms = Object.freeze({
  requiredAffinity: [],
  requiredAntiAffinity: [],
  preferredAffinity: [],
  preferredAntiAffinity: [],
});

/** `matchLabelKeys` are in the selectors already: the API server merges them at creation. */
export function affinityTermsOf(pod: Pod): AffinityTerms {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return none;
  const required = (terms: readonly PodAffinityTerm[] | undefined) =>
    (terms ?? []).map((term) => compile(pod, term, 0));
  type Weighted = { readonly weight: number; readonly podAffinityTerm: PodAffinityTerm };
  const preferred = (terms: readonly Weighted[] | undefined) =>
    (terms ?? []).map(({ weight, podAffinityTerm }) => compile(pod, podAffinityTerm, weight));
  return {
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

function compile(pod: Pod, term: PodAffinityTerm, weight: number): AffinityTerm {
  const named = term.namespaces ?? [];
  const own = named.length === 0 && term.namespaceSelector === undefined;
  return {
    topologyKey: term.topologyKey,
    selector: labelSelectorOf(term.labelSelector),
    namespaces: new Set(own ? [pod.metadata?.namespace ?? ""] : named),
    namespaceSelector: term.namespaceSelector ? labelSelectorOf(term.namespaceSelector) : nothing,
    weight,
  };
}

/** The pod that `term` is asked about. */
export interface Matched {
  readonly namespace: string;
  readonly labels: Labels;
}

export function termMatches(term: AffinityTerm, pod: Matched, namespaceLabels: NamespaceLabels): boolean {
  if (!term.namespaces.has(pod.namespace)) {
    const { namespaceSelector } = term;
    if (namespaceSelector.nothing) return false;
    const labels = isEverything(namespaceSelector) ? {} : namespaceLabels(pod.namespace);
    if (labels === undefined || !namespaceSelector.matches(labels)) return false;
  }
  return term.selector.matches(pod.labels);
}

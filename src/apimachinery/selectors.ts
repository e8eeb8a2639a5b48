import { goQuote } from "./field-error.ts";
import {
  checkedRequirement,
  compileRequirement,
  formatRequirement,
  type Labels,
  type Operator,
  type Requirement,
  SelectorError,
} from "./label-requirement.ts";
import { parseRequirements } from "./label-selector-parser.ts";
import { compareBytes, getOwn } from "./maps.ts";

/**
 * Label selectors: a conjunction of requirements on labels, compiled once.
 * Source: k8s.io/apimachinery/pkg/labels/selector.go, apis/meta/v1/helpers.go.
 */
export interface Selector {
  /** Sorted by key. */
  readonly requirements: readonly Requirement[];
  /** Matches no labels whatever (upstream's `labels.Nothing()`); has no requirements. */
  readonly nothing: boolean;
  readonly matches: (labels: Labels | undefined) => boolean;
}

/** `metav1.LabelSelector`, as objects carry it. */
export interface LabelSelectorSource {
  readonly matchLabels?: Labels | undefined;
  readonly matchExpressions?: readonly LabelSelectorExpression[] | null | undefined;
}

export interface LabelSelectorExpression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | null | undefined;
}

/** Matches everything. */
export const everything: Selector = selectorOf([]);

/** Matches nothing: what an absent `metav1.LabelSelector` means. */
export const nothing: Selector = Object.freeze({
  requirements: Object.freeze([]),
  nothing: true,
  matches: () => false,
});

/** A selector of requirements that are known to be valid. */
export function selectorOf(requirements: readonly Requirement[]): Selector {
  const sorted = requirements.toSorted((a, b) => compareBytes(a.key, b.key));
  return Object.freeze({
    requirements: Object.freeze(sorted),
    nothing: false,
    matches: compile(sorted),
  });
}

/** Parses `a=b,c in (d,e),!f,g>1`; the empty text selects everything. Throws `SelectorError`. */
export function parseLabelSelector(text: string): Selector {
  if (text === "") return everything;
  return selectorOf(parseRequirements(text));
}

/** All labels of `labels`, each with its value. Nothing is validated. */
export function selectorFromLabels(labels: Labels | undefined): Selector {
  return selectorOf(
    Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: "=", values: [value] })),
  );
}

const operatorsOfExpressions: Readonly<Record<string, Operator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/**
 * Compiles a `metav1.LabelSelector`: absent selects nothing, empty everything. Throws
 * `SelectorError`. The result for a frozen source is kept with it.
 */
export function labelSelectorOf(source: LabelSelectorSource | null | undefined): Selector {
  if (source === undefined || source === null) return nothing;
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(source.matchLabels ?? {})) {
    requirements.push(checkedRequirement({ key, operator: "=", values: [value] }));
  }
  for (const { key, operator, values } of source.matchExpressions ?? []) {
    const own = getOwn(operatorsOfExpressions, operator);
    if (own === undefined) {
      throw new SelectorError(`${goQuote(operator)} is not a valid label selector operator`);
    }
    requirements.push(checkedRequirement({ key, operator: own, values: values ?? [] }));
  }
  const selector = requirements.length === 0 ? everything : selectorOf(requirements);
  if (Object.isFrozen(source)) compiled.set(source, selector);
  return selector;
}

const compiled = new WeakMap<LabelSelectorSource, Selector>();

export function matches(selector: Selector, labels: Labels | undefined): boolean {
  return selector.matches(labels);
}

/** Selects all labels (has no requirements). */
export function isEverything(selector: Selector): boolean {
  return !selector.nothing && selector.requirements.length === 0;
}

/** The single value that the selector demands of `key`, for index look-ups. */
export function exactMatch(selector: Selector, key: string): string | undefined {
  const requirement = selector.requirements.find((candidate) => candidate.key === key);
  const equality = requirement !== undefined && ["=", "==", "in"].includes(requirement.operator);
  return equality && requirement.values.length === 1 ? requirement.values[0] : undefined;
}

/** The text form, `a=b,c in (d,e),!f`; everything and nothing are both empty. */
export function formatSelector(selector: Selector): string {
  return selector.requirements.map(formatRequirement).join(",");
}

/** What tables print for a `metav1.LabelSelector`: `<none>` when empty, `<error>` when invalid. */
export function describeLabelSelector(source: LabelSelectorSource | null | undefined): string {
  try {
    return formatSelector(labelSelectorOf(source)) || "<none>";
  } catch (error) {
    if (error instanceof SelectorError) return "<error>";
    throw error;
  }
}

function compile(requirements: readonly Requirement[]): Selector["matches"] {
  const tests = requirements.map(compileRequirement);
  const [only, second] = tests;
  if (only === undefined) return () => true;
  if (second === undefined) return (labels) => only(labels ?? noLabels);
  return (labels) => {
    const own = labels ?? noLabels;
    for (const test of tests) if (!test(own)) return false;
    return true;
  };
}

const noLabels: Labels = Object.freeze({});

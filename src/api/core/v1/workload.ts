import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import type { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { SelectorError } from "#apimachinery/label-requirement.ts";
import { labelSelectorOf, matches, type Selector } from "#apimachinery/selectors.ts";
import { type Findings, validateNonNegative } from "#apimachinery/validation/checks.ts";
import {
  isEmptyLabelSelector,
  validateLabelSelector,
} from "#apimachinery/validation/label-selector.ts";
import { checkDnsLabel } from "#apimachinery/validation/names.ts";
import type { PodRules } from "./pod-rules.ts";
import type { PodTemplateSpec } from "./pod-spec.ts";
import { validatePodTemplateSpec } from "./pod-validation.ts";

/** What the kinds have in common that keep Pods of a template running. */
export const templatePath = "spec.template";
export const revisionHistoryLimitDefault = 10;

/** The selector of `spec`: `word` is what the text for an empty one calls the kind. */
export function* validateWorkloadSelector(
  selector: LabelSelector | undefined,
  word: string,
): Findings {
  yield* validateLabelSelector(selector, "spec.selector");
  if (selector !== undefined && isEmptyLabelSelector(selector)) {
    yield invalid("spec.selector", selector, `empty selector is invalid for ${word}`);
  }
}

/** Undefined when the selector does not compile. */
export function compiledSelector(selector: LabelSelector | undefined): Selector | undefined {
  try {
    return labelSelectorOf(selector);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

interface TemplateRules {
  readonly selector: Selector;
  readonly rules: PodRules;
  /** The kind that the text about activeDeadlineSeconds names. */
  readonly owner: string;
}

/** A template whose Pods the selector must find and that run for ever. */
export function* validateWorkloadTemplate(
  template: PodTemplateSpec,
  { selector, rules, owner }: TemplateRules,
): Findings {
  yield* validateTemplateLabels(template, selector);
  yield* validatePodTemplateSpec(template, templatePath, rules);
  yield* validateEndless(template, owner);
}

export function* validateTemplateLabels(template: PodTemplateSpec, selector: Selector): Findings {
  const { labels } = template.metadata;
  if (matches(selector, labels)) return;
  const detail = "`selector` does not match template `labels`";
  yield invalid(`${templatePath}.metadata.labels`, labels ?? null, detail);
}

function* validateEndless({ spec }: PodTemplateSpec, owner: string): Findings {
  const { restartPolicy = "", activeDeadlineSeconds } = spec;
  if (restartPolicy !== "Always") {
    yield notSupported(`${templatePath}.spec.restartPolicy`, restartPolicy, ["Always"]);
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${owner} is not Supported`;
    yield forbidden(`${templatePath}.spec.activeDeadlineSeconds`, detail);
  }
}

export function* validateSelectorPresent(selector: LabelSelector | undefined): Findings {
  if (selector === undefined) yield required("spec.selector", "");
}

type Counts = Readonly<Record<string, unknown>>;

function countOf(status: Counts, name: string): number {
  return Number(status[name] ?? 0);
}

export function* validateCounts(status: object | undefined, names: readonly string[]): Findings {
  const counts = (status ?? {}) as Counts;
  for (const name of names) yield* validateNonNegative(countOf(counts, name), `status.${name}`);
}

/** None of the counts `names` exceeds the count `limit`, which the text calls `text`. */
export function* validateCountsWithin(
  status: object | undefined,
  names: readonly string[],
  { limit, text = `status.${limit}` }: { limit: string; text?: string },
): Findings {
  const counts = (status ?? {}) as Counts;
  for (const name of names) {
    const count = countOf(counts, name);
    if (count <= countOf(counts, limit)) continue;
    yield invalid(`status.${name}`, count, `cannot be greater than ${text}`);
  }
}

interface Collided {
  readonly collisionCount?: number | undefined;
}

/** Hashes that collided stay known. */
export function* validateCollisionCount(
  status: Collided | undefined,
  old: Collided | undefined,
): Findings {
  const { collisionCount: count } = status ?? {};
  const before = old?.collisionCount;
  if (before === undefined || (count !== undefined && count >= before)) return;
  yield invalid("status.collisionCount", count ?? 0, "cannot be decremented");
}

/** Names of Pods and hosts derive from the name. */
export function podNameWarnings(name: string | undefined): string[] {
  const texts = checkDnsLabel(name ?? "");
  if (texts.length === 0) return [];
  return [
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising " +
      `behavior; a DNS label is recommended: [${texts.join(" ")}]`,
  ];
}

import type { Namespace, NamespaceCondition } from "#api/core/v1/namespace.ts";
import type { ResourceTarget } from "#client/client.ts";

/** What one pass over a namespace's content found. */
export interface Findings {
  /** `group/version` whose resources are unknown. */
  readonly undiscovered: readonly string[];
  /** Messages of deletes that failed. */
  readonly failures: readonly string[];
  readonly remaining: readonly { readonly target: ResourceTarget; readonly count: number }[];
  /** Finalizer -> objects that carry it. */
  readonly finalizers: ReadonlyMap<string, number>;
}

interface Verdict {
  readonly bad: boolean;
  readonly reason: string;
  readonly message: string;
}

/**
 * The conditions of a namespace that is being deleted, with the times of those that did not
 * change. Source: pkg/controller/namespace/deletion/status_condition_utils.go.
 */
export function terminationConditions(
  namespace: Namespace,
  findings: Findings,
  now: string,
): NamespaceCondition[] {
  const verdicts = verdictsOf(findings);
  const kept = (namespace.status?.conditions ?? []).filter(({ type }) => !verdicts.has(type));
  const made = [...verdicts].map(([type, { bad, reason, message }]): NamespaceCondition => {
    const status = bad ? "True" : "False";
    const old = namespace.status?.conditions?.find((condition) => condition.type === type);
    const same = old?.status === status && old.reason === reason && old.message === message;
    return same ? old : { type, status, lastTransitionTime: now, reason, message };
  });
  return [...kept, ...made];
}

function verdictsOf(findings: Findings): Map<string, Verdict> {
  const { undiscovered, failures, remaining, finalizers } = findings;
  return new Map([
    [
      "NamespaceDeletionDiscoveryFailure",
      undiscovered.length > 0
        ? bad(
            "DiscoveryFailed",
            `Discovery failed for some groups, ${undiscovered.length} failing: ` +
              `unable to retrieve the complete list of server APIs: ${undiscovered.join(", ")}`,
          )
        : good("ResourcesDiscovered", "All resources successfully discovered"),
    ],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      good("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    ],
    [
      "NamespaceDeletionContentFailure",
      failures.length > 0
        ? bad(
            "ContentDeletionFailed",
            `Failed to delete all resource types, ${failures.length} remaining: ${failures.toSorted().join(", ")}`,
          )
        : good(
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
          ),
    ],
    [
      "NamespaceContentRemaining",
      remaining.length > 0
        ? bad(
            "SomeResourcesRemain",
            `Some resources are remaining: ${remaining.map(remainingText).toSorted().join(", ")}`,
          )
        : good("ContentRemoved", "All content successfully removed"),
    ],
    [
      "NamespaceFinalizersRemaining",
      finalizers.size > 0
        ? bad(
            "SomeFinalizersRemain",
            `Some content in the namespace has finalizers remaining: ${[...finalizers].map(finalizerText).toSorted().join(", ")}`,
          )
        : good("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    ],
  ]);
}

function remainingText({ target, count }: Findings["remaining"][number]): string {
  return `${target.plural}.${target.group} has ${count} resource instances`;
}

function finalizerText([finalizer, count]: [string, number]): string {
  return `${finalizer} in ${count} resource instances`;
}

function bad(reason: string, message: string): Verdict {
  return { bad: true, reason, message };
}

function good(reason: string, message: string): Verdict {
  return { bad: false, reason, message };
}

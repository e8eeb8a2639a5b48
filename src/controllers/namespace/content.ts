import { errorMessage } from "#base/error-message.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import type { Client, DeleteOptions } from "#client/client.ts";
import { type DiscoveredResource, discover } from "#client/discovery.ts";
import { isTerminal } from "../framework/pods.ts";
import type { Findings } from "./conditions.ts";

export interface ContentResult extends Findings {
  /** When it is worth to look again; 0 when nothing is left to wait for. */
  readonly estimateSeconds: number;
}

/** How long finalizers are given before another look. */
const finalizerEstimateSeconds = 15;

const background: DeleteOptions = { propagationPolicy: "Background" };

/**
 * Deletes everything in a namespace, Pods first and alone: what they use (Secrets, policies) is
 * there until the last of them is gone. Source: namespaced_resources_deleter.go, OrderedNamespaceDeletion.
 */
export async function deleteContent(
  client: Client,
  namespace: string,
  signal: AbortSignal,
): Promise<ContentResult> {
  const { resources, failed } = await discover(client, signal);
  const deletable = resources.filter(
    ({ scope, verbs }) =>
      scope === "Namespaced" && verbs.includes("delete") && verbs.includes("list"),
  );
  const isPods = ({ group, plural }: DiscoveredResource): boolean =>
    group === "" && plural === "pods";
  const pods = await Promise.all(
    deletable.filter(isPods).map((target) => deleteAll(client, namespace, target)),
  );
  if (pods.some(({ left }) => left.length > 0)) return sum(pods, failed);
  const others = await Promise.all(
    deletable
      .filter((target) => !isPods(target))
      .map((target) => deleteAll(client, namespace, target)),
  );
  return sum([...pods, ...others], failed);
}

interface Swept {
  readonly target: DiscoveredResource;
  readonly left: readonly KubeObject[];
  readonly failure?: string;
}

async function deleteAll(
  client: Client,
  namespace: string,
  target: DiscoveredResource,
): Promise<Swept> {
  const resource = client.dynamic(target);
  try {
    const before = await resource.list({ namespace });
    if (before.items.length === 0) return { target, left: [] };
    if (target.verbs.includes("deletecollection"))
      await resource.deleteCollection({ namespace }, background);
    else {
      for (const object of before.items) {
        await resource.delete(keyOfObject(object), background).catch(ignoreNotFound);
      }
    }
    const { items } = await resource.list({ namespace });
    return { target, left: items };
  } catch (error) {
    // The kind itself may have gone meanwhile (its CRD was deleted): then so have its objects.
    if (isNotFound(error)) return { target, left: [] };
    return { target, left: [], failure: errorMessage(error) };
  }
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

function sum(swept: readonly Swept[], undiscovered: readonly string[]): ContentResult {
  const finalizers = new Map<string, number>();
  let estimateSeconds = 0;
  for (const { target, left } of swept) {
    for (const object of left) {
      for (const name of object.metadata?.finalizers ?? [])
        finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
      if (object.metadata?.finalizers?.length)
        estimateSeconds = Math.max(estimateSeconds, finalizerEstimateSeconds);
      if (target.group === "" && target.plural === "pods")
        estimateSeconds = Math.max(estimateSeconds, graceSeconds(object as Pod));
    }
  }
  return {
    undiscovered,
    failures: swept.flatMap(({ failure }) => failure ?? []),
    remaining: swept
      .filter(({ left }) => left.length > 0)
      .map(({ target, left }) => ({ target, count: left.length })),
    finalizers,
    estimateSeconds,
  };
}

/** At least a second: a Pod whose containers are done is still there until its kubelet lets it go. */
function graceSeconds(pod: Pod): number {
  return isTerminal(pod) ? 1 : Math.max(1, pod.spec.terminationGracePeriodSeconds ?? 30);
}

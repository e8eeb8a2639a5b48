import type { Pod } from "#api/core/v1/pod.ts";
import { badRequest } from "#apimachinery/status.ts";

/**
 * The container that a request means. Errors: BadRequest when it is ambiguous or unknown.
 * Source: registry/core/pod/strategy.go podHasContainerWithName, getContainerNames.
 */
export function containerOf(pod: Pod, asked: string): string {
  const name = pod.metadata?.name ?? "";
  const regular = (pod.spec?.containers ?? []).map((container) => container.name);
  const init = (pod.spec?.initContainers ?? []).map((container) => container.name);
  const ephemeral = (pod.spec?.ephemeralContainers ?? []).map((container) => container.name);
  if (asked === "") {
    if (regular.length === 1) return regular[0] ?? "";
    if (regular.length === 0) throw badRequest(`a container name must be specified for pod ${name}`);
    let text = `a container name must be specified for pod ${name}, choose one of: [${regular.join(" ")}]`;
    if (init.length > 0) text += ` or one of the init containers: [${init.join(" ")}]`;
    if (ephemeral.length > 0) text += ` or one of the ephemeral containers: [${ephemeral.join(" ")}]`;
    throw badRequest(text);
  }
  if ([...regular, ...init, ...ephemeral].includes(asked)) return asked;
  throw badRequest(`container ${asked} is not valid for pod ${name}`);
}

/** Errors: BadRequest for a pod that runs nowhere yet. */
export function nodeOf(pod: Pod): string {
  const node = pod.spec?.nodeName ?? "";
  if (node === "") throw badRequest(`pod ${pod.metadata?.name ?? ""} does not have a host assigned`);
  return node;
}

import { events } from "#api/core/v1/event.ts";
import { nodes } from "#api/core/v1/node.ts";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { ignoreNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import type { Explanation } from "#scheduler/why.ts";
import { findingsOf } from "./findings.ts";
import type { Finding } from "./material.ts";

/** What is answered about a Pod. */
export interface WhyAnswer {
  readonly pod: string;
  readonly findings: readonly Finding[];
  /** The scheduler's last attempt in full, where it runs in this process and remembers. */
  readonly attempt?: Explanation;
}

export type AttemptOf = (namespace: string, name: string) => Explanation | undefined;

export async function whyPod(
  client: Client,
  { namespace, name, attemptOf }: { readonly namespace: string; readonly name: string; readonly attemptOf: AttemptOf | undefined },
): Promise<WhyAnswer> {
  const pod = await ignoreNotFound(client.resource(pods).get(`${namespace}/${name}`));
  const uid = pod?.metadata?.uid;
  const fieldSelector = uid === undefined ? "involvedObject.kind!=Pod" : `involvedObject.uid=${uid}`;
  const [told, node, claims] = await Promise.all([
    client.resource(events).list({ namespace, fieldSelector }),
    pod?.spec.nodeName ? ignoreNotFound(client.resource(nodes).get(pod.spec.nodeName)) : undefined,
    claimsOf(client, pod),
  ]);
  const attempt = attemptOf?.(namespace, name);
  const findings = findingsOf({ namespace, name, pod, events: told.items, node, claims, attempt });
  return { pod: `${namespace}/${name}`, findings, ...(attempt && { attempt }) };
}

async function claimsOf(client: Client, pod: Pod | undefined): Promise<Map<string, PersistentVolumeClaim | undefined>> {
  const claims = new Map<string, PersistentVolumeClaim | undefined>();
  for (const { name, persistentVolumeClaim, ephemeral } of pod?.spec.volumes ?? []) {
    const claimName = persistentVolumeClaim?.claimName ?? (ephemeral && `${pod?.metadata?.name}-${name}`);
    if (claimName === undefined) continue;
    const key = `${pod?.metadata?.namespace}/${claimName}`;
    claims.set(claimName, await ignoreNotFound(client.resource(persistentVolumeClaims).get(key)));
  }
  return claims;
}

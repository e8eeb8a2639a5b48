/**
 * Tells which API servers there are: a Lease of each in kube-system, which it renews while it lives and which any of
 * them removes long after. Source: pkg/controlplane/apiserver/server.go, component-helpers/apimachinery/lease,
 * pkg/controlplane/controller/apiserverleasegc.
 */
import { createHash } from "node:crypto";
import { type Lease, leases } from "#api/coordination/v1/lease.ts";
import { ignoreNotFound, isConflict, isNotFound } from "#apimachinery/status.ts";
import { createBackoff } from "#base/backoff.ts";
import { type Clock, rfc3339Micro } from "#base/clock.ts";
import { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";

const namespace = "kube-system";
const component = "kube-apiserver";
export const identityLabel = "apiserver.kubernetes.io/identity";
const peerAnnotation = "kubernetes.io/peer-advertise-address";
const durationSeconds = 3600;
const renewEveryMs = 10_000;
/** Renewals of several servers do not stay in step. */
const renewJitter = 0.04;
const collectEveryMs = 3_600_000;

export interface IdentityLeaseOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly hostName: string;
  /** `HOST:PORT` where other API servers reach this one; absent where they are not to ask it. */
  readonly peerAddress?: string | undefined;
}

/** `apiserver-HASH`, the same for every server of a host. Source: apiserver/pkg/server/config.go NewConfig. */
export function apiServerId(hostName: string): string {
  const hash = createHash("sha256").update(prefixed(hostName)).update(prefixed(component)).digest();
  return `apiserver-${base32(hash.subarray(0, 16))}`;
}

/** Behind its length in two bytes. */
function prefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** RFC 4648 in lower case, without padding. */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(group.padEnd(5, "0"), 2)]).join("");
}

/** Writes the Lease once before it resolves, unless that fails; then keeps it until it is disposed. The Lease stays. */
export async function keepIdentityLease(options: IdentityLeaseOptions): Promise<AsyncDisposable> {
  const { clock, random, log } = options;
  const lifetime = new Lifetime("identity-lease");
  const renew = createRenewal(options);
  const backoff = createBackoff({ initialMs: 200, capMs: 7000 }, random);
  let next: Disposable | undefined;
  let collecting: Disposable | undefined;
  lifetime.defer(() => next?.[Symbol.dispose]());
  lifetime.defer(() => collecting?.[Symbol.dispose]());

  async function renewal(): Promise<void> {
    let waitMs = renewEveryMs * (1 + renewJitter * random.float());
    try {
      await renew();
      backoff.reset();
    } catch (error) {
      waitMs = Math.min(waitMs, backoff.nextMs());
      if (!lifetime.ended) log.error("failed to renew the identity Lease", error);
    }
    if (!lifetime.ended) next = clock.after(waitMs, () => void renewal());
  }

  async function collection(): Promise<void> {
    await removeExpired(options).catch((error: unknown) => {
      if (!lifetime.ended) log.error("expired identity Leases not removed", error);
    });
    if (!lifetime.ended) collecting = clock.after(collectEveryMs, () => void collection());
  }

  await renewal();
  await collection();
  return lifetime;
}

/** A renewal costs one write, and no read unless somebody else wrote. */
function createRenewal({ client, clock, random, hostName, peerAddress }: IdentityLeaseOptions): () => Promise<void> {
  const api = client.resource(leases);
  const name = apiServerId(hostName);
  const holderIdentity = `${name}_${random.uuid()}`;
  let latest: Lease | undefined;

  function renewed(base: Lease | undefined): Lease {
    const { metadata } = base ?? {};
    return {
      ...base,
      metadata: {
        ...(metadata ?? { name, namespace }),
        labels: { ...metadata?.labels, [identityLabel]: component, "kubernetes.io/hostname": hostName },
        ...(peerAddress !== undefined && { annotations: { ...metadata?.annotations, [peerAnnotation]: peerAddress } }),
      },
      spec: {
        ...(base?.spec ?? { leaseDurationSeconds: durationSeconds }),
        holderIdentity,
        renewTime: rfc3339Micro(clock.nowMs()),
      },
    } as Lease;
  }

  return async () => {
    const base = latest ?? (await ignoreNotFound(api.get(`${namespace}/${name}`)));
    latest = undefined;
    const wanted = renewed(base);
    latest = await (base === undefined ? api.create(wanted) : api.update(wanted));
  };
}

/** What has no time to end at is removed too: no server wrote that. */
async function removeExpired({ client, clock }: IdentityLeaseOptions): Promise<void> {
  const api = client.resource(leases);
  const { items } = await api.list({ namespace, labelSelector: `${identityLabel}=${component}` });
  for (const { metadata, spec } of items) {
    const { renewTime, leaseDurationSeconds: seconds } = spec;
    const endMs = renewTime === undefined || seconds === undefined ? -Infinity : Date.parse(renewTime) + seconds * 1000;
    if (endMs >= clock.nowMs()) continue;
    const { name = "", resourceVersion } = metadata ?? {};
    try {
      await api.delete(`${namespace}/${name}`, { preconditions: { ...(resourceVersion !== undefined && { resourceVersion }) } });
    } catch (error) {
      // Another server removed it, or its own has come back.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

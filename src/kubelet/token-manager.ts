/** Tokens of service accounts for Pods. Source: kubelet/token/token_manager.go. */
import type { TokenRequest } from "#api/authentication/v1/token-request.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { ServiceAccountTokenProjection } from "#api/core/v1/projected-volume.ts";
import { serviceAccounts } from "#api/core/v1/service-account.ts";
import { objectKey } from "#apimachinery/object.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { uidOf } from "./pod/container-list.ts";
import type { TokenSource } from "./volumes/payload.ts";

export interface TokenManager extends TokenSource {
  forget(uid: string): void;
}

interface Cached {
  readonly token: string;
  readonly timer: Timer;
}

const expirationDefaultSeconds = 3600;
/** A token is replaced after so much of its life, and after a day at the latest. */
const renewAfterShare = 0.8;
const renewAfterMaxMs = 24 * 3_600_000;

export function createTokenManager(
  client: Client,
  clock: Clock,
  /** A token of the Pod is to be replaced: its volumes must be written again. */
  due: (uid: string) => void,
): TokenManager {
  const resource = client.resource(serviceAccounts);
  const tokens = new Map<string, Map<string, Cached>>();

  async function request(
    pod: Pod,
    projection: ServiceAccountTokenProjection,
  ): Promise<TokenRequest> {
    const { name = "", namespace = "" } = pod.metadata ?? {};
    const { audience, expirationSeconds = expirationDefaultSeconds } = projection;
    return resource.createSubresource<TokenRequest>({
      key: objectKey(namespace, pod.spec.serviceAccountName ?? "default"),
      name: "token",
      body: {
        kind: "TokenRequest",
        apiVersion: "authentication.k8s.io/v1",
        spec: {
          audiences: audience ? [audience] : [],
          expirationSeconds,
          boundObjectRef: { kind: "Pod", apiVersion: "v1", name, uid: uidOf(pod) },
        },
      },
    });
  }

  return {
    async token(pod, projection) {
      const uid = uidOf(pod);
      const key = `${projection.audience ?? ""}/${projection.expirationSeconds ?? 0}`;
      const own = tokens.get(uid) ?? new Map<string, Cached>();
      tokens.set(uid, own);
      const known = own.get(key);
      if (known !== undefined) return known.token;
      const { status } = await request(pod, projection);
      const token = status?.token ?? "";
      const lifeMs = Date.parse(status?.expirationTimestamp ?? "") - clock.nowMs();
      const renewMs = Math.min(renewAfterMaxMs, Math.max(0, lifeMs * renewAfterShare || 0));
      const timer = clock.after(renewMs, () => {
        own.delete(key);
        due(uid);
      });
      own.set(key, { token, timer });
      return token;
    },
    forget(uid) {
      for (const { timer } of tokens.get(uid)?.values() ?? []) timer[Symbol.dispose]();
      tokens.delete(uid);
    },
  };
}

import { dayOf, lastUsedLabel } from "#api/core/v1/legacy-tokens.ts";
import { type Secret, secrets } from "#api/core/v1/secret.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";

/**
 * Writes on a token's Secret, once a day, that it is in use. `client`: undefined while the server starts.
 * Source: pkg/serviceaccount/legacy.go patchSecretWithLastUsedDate.
 */
export function legacyTokenUse(clock: Clock, log: Logger, client: () => Client | undefined): (secret: Secret) => void {
  const writing = new Set<string>();
  return ({ metadata }) => {
    const { namespace = "", name = "", uid, labels } = metadata;
    const key = `${namespace}/${name}`;
    const day = dayOf(clock.nowMs());
    const api = client();
    if (api === undefined || labels?.[lastUsedLabel] === day || writing.has(key)) return;
    writing.add(key);
    const body = { metadata: { uid, labels: { [lastUsedLabel]: day } } };
    const written = api.resource(secrets).patch(key, { type: "merge", body });
    const failed = (error: unknown): void => log.error("use of a token not noted", error, { secret: key });
    void written.catch(failed).finally(() => writing.delete(key));
  };
}

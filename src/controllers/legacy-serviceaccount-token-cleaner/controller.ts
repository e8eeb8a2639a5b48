import { configMaps } from "#api/core/v1/config-map.ts";
import { dayOf, dayStartMs, invalidSinceLabel, lastUsedLabel, trackingConfigMap } from "#api/core/v1/legacy-tokens.ts";
import { podSecretNames } from "#api/core/v1/pod-secret-names.ts";
import { pods } from "#api/core/v1/pod.ts";
import { type Secret, secrets } from "#api/core/v1/secret.ts";
import { serviceAccounts } from "#api/core/v1/service-account.ts";
import { ignoreNotFound, isConflict, isNotFound } from "#apimachinery/status.ts";
import { type Context, defineController, done, type Outcome } from "../framework/controller.ts";
import { createdMs } from "../framework/pods.ts";

const dayMs = 24 * 3_600_000;
/** Source: LegacySATokenCleanerConfiguration.CleanUpPeriod. */
const unusedMs = 365 * dayMs;

/** Source: pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go. */
export const legacyTokenCleaner = defineController<Secret>({
  name: "legacy-serviceaccount-token-cleaner-controller",
  account: "legacy-service-account-token-cleaner",
  for: secrets,
  reads: [serviceAccounts, pods],
  async reconcile(context) {
    const secret = context.get();
    if (secret?.type !== "kubernetes.io/service-account-token" || secret.metadata.deletionTimestamp !== undefined) return done;
    const again: Outcome = { requeueAfterMs: dayMs };
    if (!isUnused(secret, context.clock.nowMs()) || !isAutomatic(context, secret) || isMounted(context, secret)) return again;
    if (!(await isFollowedLongEnough(context))) return again;
    return (await clean(context, secret)) ? done : again;
  },
});

function oldestKeptDay(nowMs: number): string {
  return dayOf(nowMs - unusedMs);
}

/** A day that cannot be read says nothing: such a token stays. */
function isUnused(secret: Secret, nowMs: number): boolean {
  if (createdMs(secret) >= nowMs - unusedMs) return false;
  const lastUsed = secret.metadata.labels?.[lastUsedLabel];
  return lastUsed === undefined || (dayStartMs(lastUsed) !== undefined && lastUsed < oldestKeptDay(nowMs));
}

/** Its service account lists it: a controller of old made it. */
function isAutomatic(context: Context<Secret, undefined>, { metadata }: Secret): boolean {
  const { namespace = "", name, annotations = {} } = metadata;
  const account = context.lister(serviceAccounts).get(`${namespace}/${annotations["kubernetes.io/service-account.name"] ?? ""}`);
  const uid = annotations["kubernetes.io/service-account.uid"] ?? "";
  if (account === undefined || (uid !== "" && uid !== account.metadata.uid)) return false;
  return account.secrets?.some((reference) => reference.name === name) ?? false;
}

function isMounted(context: Context<Secret, undefined>, { metadata: { namespace = "", name = "" } }: Secret): boolean {
  return context
    .lister(pods)
    .list()
    .some((pod) => pod.metadata.namespace === namespace && podSecretNames(pod).has(name));
}

/** What nobody followed may have been used. */
async function isFollowedLongEnough({ client, clock }: Context<Secret, undefined>): Promise<boolean> {
  const map = await ignoreNotFound(client.resource(configMaps).get(`kube-system/${trackingConfigMap}`));
  const sinceMs = dayStartMs(map?.data?.["since"]);
  // Use on the first day may be missing.
  return sinceMs !== undefined && clock.nowMs() >= sinceMs + dayMs + unusedMs;
}

/** Marks the token, or deletes it when it was marked long ago: then true. */
async function clean(context: Context<Secret, undefined>, { metadata }: Secret): Promise<boolean> {
  const { uid = "", resourceVersion = "", labels } = metadata;
  const nowMs = context.clock.nowMs();
  const invalidSince = labels?.[invalidSinceLabel];
  if (dayStartMs(invalidSince) === undefined) {
    const body = { metadata: { uid, labels: { [invalidSinceLabel]: dayOf(nowMs) } } };
    await context.resource(secrets).patch(context.key, { type: "merge", body });
    return false;
  }
  if ((invalidSince ?? "") >= oldestKeptDay(nowMs)) return false;
  try {
    await context.resource(secrets).delete(context.key, { preconditions: { resourceVersion } });
    return true;
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
    return false;
  }
}

import { type Secret, secrets } from "#api/core/v1/secret.ts";
import { type ServiceAccount, serviceAccounts } from "#api/core/v1/service-account.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import type { Index } from "#client/indexer.ts";
import {
  type Context,
  defineController,
  done,
  indexOf,
  type Outcome,
  watchOf,
} from "../framework/controller.ts";

const tokenType = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

/** Token Secrets by the account that they name. */
const byAccount: Index<Secret> = {
  name: "service-account",
  valuesOf: (secret) => (secret.type === tokenType ? [accountKey(secret)] : []),
};

/**
 * Fills Secrets of type `kubernetes.io/service-account-token` with a token that does not expire,
 * and deletes those whose account is gone. Source: pkg/controller/serviceaccount/tokens_controller.go.
 */
export const serviceAccountTokenController = defineController({
  name: "serviceaccount-token-controller",
  account: "tokens-controller",
  for: secrets,
  workers: 5,
  indexes: [indexOf(secrets, byAccount)],
  watches: [
    watchOf(serviceAccounts, {
      keys: (account, { informers }) =>
        informers.of(secrets).lister.by(byAccount, keyOfObject(account)).map(keyOfObject),
    }),
  ],
  async reconcile(context) {
    const secret = context.get();
    if (secret?.type !== tokenType || secret.metadata?.deletionTimestamp !== undefined) return done;
    const account = await liveAccount(context, secret);
    if (account === undefined) return remove(context, secret);
    return fill(context, secret, account);
  },
});

/** Asks the server before an account counts as gone. */
async function liveAccount(
  context: Context<Secret, undefined>,
  secret: Secret,
): Promise<ServiceAccount | undefined> {
  const key = accountKey(secret);
  const wanted = secret.metadata?.annotations?.[uidAnnotation] ?? "";
  const isIt = (account: ServiceAccount | undefined): boolean =>
    account !== undefined && (wanted === "" || account.metadata?.uid === wanted);
  const cached = context.lister(serviceAccounts).get(key);
  if (isIt(cached)) return cached;
  try {
    const fresh = await context.resource(serviceAccounts).get(key);
    return isIt(fresh) ? fresh : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function remove(context: Context<Secret, undefined>, secret: Secret): Promise<Outcome> {
  const { uid = "", resourceVersion = "" } = secret.metadata ?? {};
  try {
    await context
      .resource(secrets)
      .delete(keyOfObject(secret), { preconditions: { uid, resourceVersion } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return done;
}

async function fill(
  context: Context<Secret, undefined>,
  secret: Secret,
  account: ServiceAccount,
): Promise<Outcome> {
  const { issueToken, rootCa = "" } = context.settings;
  const { namespace = "", name = "" } = secret.metadata ?? {};
  const ca = base64(rootCa);
  const hasToken = (secret.data?.["token"] ?? "") !== "";
  const hasUid = secret.metadata?.annotations?.[uidAnnotation] === account.metadata?.uid;
  const hasPlaces = secret.data?.["ca.crt"] === ca && (secret.data["namespace"] ?? "") !== "";
  if (issueToken === undefined || (hasToken && hasUid && hasPlaces)) return done;
  const { name: accountName = "", uid = "" } = account.metadata ?? {};
  const token = hasToken
    ? secret.data?.["token"]
    : base64(await issueToken({ namespace, secretName: name, accountName, accountUid: uid }));
  const annotations = {
    ...secret.metadata?.annotations,
    [nameAnnotation]: accountName,
    [uidAnnotation]: uid,
  };
  await context.resource(secrets).update({
    ...secret,
    metadata: { ...secret.metadata, annotations },
    data: {
      ...secret.data,
      ...(token !== undefined && { token }),
      "ca.crt": ca,
      namespace: secret.data?.["namespace"] || base64(namespace),
    },
  });
  return done;
}

function accountKey(secret: Secret): string {
  return `${secret.metadata?.namespace}/${secret.metadata?.annotations?.[nameAnnotation] ?? ""}`;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/**
 * Where several API servers share a store, what one knows may be a moment behind what another has
 * answered. A refusal is therefore looked at again with all that was written before the request.
 */
import type { Store } from "#store/store.ts";
import type { Authenticator } from "./authentication/authenticator.ts";
import type { Authorizer } from "./authorization/authorizer.ts";

export function authorizeTwice(authorizer: Authorizer, store: Store): Authorizer {
  if (store.catchUp === undefined) return authorizer;
  return {
    ...authorizer,
    async authorize(attributes) {
      const decision = await authorizer.authorize(attributes);
      if (decision.verdict === "allow" || !(await hasCaughtUp(store))) return decision;
      return authorizer.authorize(attributes);
    },
  };
}

export function authenticateTwice(authenticator: Authenticator, store: Store): Authenticator {
  if (store.catchUp === undefined) return authenticator;
  return {
    ...authenticator,
    async authenticate(credentials) {
      const answer = await authenticator.authenticate(credentials);
      if (answer !== "invalid" || !(await hasCaughtUp(store))) return answer;
      return authenticator.authenticate(credentials);
    },
  };
}

/** False when the store cannot be reached: then the first answer stands. */
async function hasCaughtUp(store: Store): Promise<boolean> {
  try {
    await store.catchUp?.();
    return true;
  } catch {
    return false;
  }
}

import type { TokenOwner } from "../handlers/handler.ts";
import { authenticate, authenticated, type Authenticator } from "./authenticator.ts";
import { type ServiceAccountTokenOptions, verifyServiceAccountToken } from "./service-account.ts";

/** Whose a token is, or why it is refused. */
export type TokenReviewer = (token: string, audiences: readonly string[]) => Promise<TokenOwner | { readonly refused: string }>;

/** What the ways that know no such token say together. */
const unknownToken = "invalid bearer token";

/** Answers TokenReviews: they may ask for other audiences than the server's own. */
export function createTokenReviewer(
  ways: readonly Authenticator[],
  serviceAccounts: ServiceAccountTokenOptions,
): TokenReviewer {
  return async (token, asked) => {
    const audiences = asked.length > 0 ? asked : serviceAccounts.audiences;
    const verdict = verifyServiceAccountToken(serviceAccounts, token, audiences);
    if (verdict !== undefined) {
      return "refused" in verdict
        ? { refused: `[${unknownToken}, ${verdict.refused}]` }
        : { user: authenticated(verdict.user), audiences: verdict.audiences };
    }
    const credentials = {
      authorization: `Bearer ${token}`,
      header: () => undefined,
      values: () => [],
      names: () => [],
    };
    const user = await authenticate(ways, credentials, false);
    const shared = audiences.filter((audience) => serviceAccounts.audiences.includes(audience));
    return user === undefined || shared.length === 0 ? { refused: unknownToken } : { user, audiences: shared };
  };
}

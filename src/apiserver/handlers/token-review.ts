import { TokenReview } from "#api/authentication/v1/token-review.ts";
import { badRequest } from "#apimachinery/status.ts";
import { decodeBody, kindOf } from "../rest/decode.ts";
import { trackUpdate } from "../rest/managed-fields.ts";
import { admitPosted } from "./admit.ts";
import type { Handler } from "./handler.ts";

/** POST tokenreviews: whose token is this? Source: registry/authentication/tokenreview/storage.go. */
export const tokenReview: Handler = async (context, endpoint, call) => {
  const decoded = decodeBody(call, kindOf(TokenReview, "authentication.k8s.io", "v1"), context.table);
  const posted = trackUpdate({ endpoint, call, updated: decoded }) as TokenReview;
  const kind = { group: "authentication.k8s.io", version: "v1", kind: "TokenReview" };
  const review = await admitPosted(context, endpoint, { call, object: posted, kind });
  const token = review.spec?.token ?? "";
  if (token === "") throw badRequest("token is required for TokenReview in authentication");
  const audiences = review.spec?.audiences ?? [];
  const verdict = await context.reviewToken(token, audiences);
  const status =
    "refused" in verdict
      ? { user: {}, error: verdict.refused }
      : {
          authenticated: true,
          user: {
            username: verdict.user.name,
            ...(verdict.user.uid !== "" && { uid: verdict.user.uid }),
            groups: [...verdict.user.groups],
            ...(Object.keys(verdict.user.extra).length > 0 && {
              extra: Object.fromEntries(Object.entries(verdict.user.extra).map(([key, values]) => [key, [...values]])),
            }),
          },
          audiences: [...verdict.audiences],
        };
  const object = { ...review, status } as TokenReview;
  return { kind: "object", object, schema: TokenReview, code: 201 };
};

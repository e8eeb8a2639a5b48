import { type Secret, secrets } from "#api/core/v1/secret.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { defineController, done } from "../framework/controller.ts";
import { expiryOf, tokenNamespace } from "./token.ts";

/** Deletes bootstrap tokens whose time is over. Source: pkg/controller/bootstrap/tokencleaner.go. */
export const tokenCleaner = defineController<Secret>({
  name: "token-cleaner-controller",
  account: "token-cleaner",
  disabledByDefault: true,
  for: secrets,
  async reconcile(context) {
    const secret = context.get();
    if (secret?.metadata.namespace !== tokenNamespace || secret.type !== "bootstrap.kubernetes.io/token") return done;
    const expiresMs = expiryOf(Buffer.from(secret.data?.["expiration"] ?? "", "base64").toString("utf8"));
    const leftMs = expiresMs - context.clock.nowMs();
    if (leftMs === Infinity) return done;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { uid = "" } = secret.metadata;
    try {
      await context.resource(secrets).delete(context.key, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  },
});

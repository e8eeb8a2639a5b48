import { namespaces } from "#api/core/v1/namespace.ts";
import { serviceAccounts } from "#api/core/v1/service-account.ts";
import { isAlreadyExists } from "#apimachinery/status.ts";
import { defineController, done, watchOf } from "../framework/controller.ts";
import { isNamespaceTerminating } from "../framework/pods.ts";

/** Accounts that every namespace has. */
const ensured = ["default"];

/** Keeps the `default` ServiceAccount in every active namespace. Source: pkg/controller/serviceaccount. */
export const serviceAccountController = defineController({
  name: "serviceaccount-controller",
  account: "service-account-controller",
  for: namespaces,
  watches: [
    watchOf(serviceAccounts, {
      on: ["delete"],
      keys: ({ metadata }) =>
        ensured.includes(metadata?.name ?? "") ? [metadata?.namespace ?? ""] : [],
    }),
  ],
  async reconcile(context) {
    const namespace = context.get();
    if (namespace === undefined || namespace.status?.phase === "Terminating") return done;
    for (const name of ensured) {
      if (context.lister(serviceAccounts).get(`${context.key}/${name}`)) continue;
      try {
        await context
          .resource(serviceAccounts)
          .create({ metadata: { namespace: context.key, name } });
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
      }
    }
    return done;
  },
});

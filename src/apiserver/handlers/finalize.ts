import { update } from "../rest/update.ts";
import type { Handler } from "./handler.ts";

/** PUT namespaces/NAME/finalize: an update that may change spec.finalizers, and no status. */
export const namespaceFinalize: Handler = async (context, endpoint, call) => {
  const { entry } = await update(endpoint, call, context.rest);
  return { kind: "entry", endpoint, entry, code: 200 };
};

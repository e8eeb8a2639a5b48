import { type Namespace, namespaces as definition } from "#api/core/v1/namespace.ts";
import { isAlreadyExists } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import { isDryRun } from "../../call.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { forbid, isNamespaceKind } from "../request.ts";

/** Makes the namespace that an object is to be in. Source: plugin/pkg/admission/namespace/autoprovision. */
export function namespaceAutoProvision(namespaces: LiveSet<Namespace>, client: () => Client): AdmissionPlugin {
  return {
    name: "NamespaceAutoProvision",
    handles: ({ operation, call, definition: kind }) =>
      operation === "CREATE" && call.namespace !== "" && !isNamespaceKind(kind) && !isDryRun(call),
    async mutate(request) {
      const name = request.call.namespace;
      if (namespaces.get("", name) !== undefined) return undefined;
      try {
        await client().resource(definition).create({ metadata: { name } } as Namespace);
      } catch (error) {
        if (!isAlreadyExists(error)) throw forbid(request, error as Error);
      }
      return undefined;
    },
  };
}

import type { Namespace } from "#api/core/v1/namespace.ts";
import { failure, forbiddenStatus, notFound, StatusError } from "#apimachinery/status.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { forbid } from "../request.ts";

const immortal = new Set(["default", "kube-system", "kube-public"]);

/**
 * Refuses new objects in namespaces that are absent or going, and the removal of system namespaces.
 * Source: admission/plugin/namespace/lifecycle.
 */
export function namespaceLifecycle(namespaces: LiveSet<Namespace>): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    handles: ({ operation }) => operation !== "CONNECT",
    mutate(request) {
      const { definition, operation, name, call } = request;
      if (operation === "DELETE" && isNamespace(request) && immortal.has(name)) {
        throw forbiddenStatus(
          { group: "", resource: "namespaces" },
          name,
          "this namespace may not be deleted",
        );
      }
      // Object reviews and the like may be asked about any namespace.
      if (
        call.namespace === "" ||
        isNamespace(request) ||
        definition.plural.endsWith("accessreviews")
      )
        return undefined;
      if (operation === "DELETE") return undefined;
      const namespace = namespaces.get("", call.namespace);
      if (namespace === undefined)
        throw notFound({ group: "", resource: "namespaces" }, call.namespace);
      if (operation === "CREATE" && isTerminating(namespace)) {
        throw terminating(request, namespace);
      }
      return undefined;
    },
  };
}

function isNamespace({ definition }: AdmissionRequest): boolean {
  return definition.group === "" && definition.plural === "namespaces";
}

function isTerminating(namespace: Namespace): boolean {
  return namespace.status?.phase === "Terminating";
}

function terminating(request: AdmissionRequest, namespace: Namespace): StatusError {
  const why = `unable to create new content in namespace ${request.call.namespace} because it is being terminated`;
  const { status } = forbid(request, why);
  const message = `namespace ${namespace.metadata?.name ?? ""} is being terminated`;
  return failure("Forbidden", {
    message: status.message ?? "",
    details: {
      ...status.details,
      causes: [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }],
    },
  });
}

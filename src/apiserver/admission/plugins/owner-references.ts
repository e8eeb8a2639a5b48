import { deepEqual } from "#apimachinery/deep-equal.ts";
import { type OwnerReference, parseApiVersion } from "#apimachinery/object.ts";
import type { ApiTable } from "../../api-table.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { type AdmissionRequest, forbid } from "../request.ts";

/**
 * Who changes owners must be allowed to delete the object; who lets an object hold back its owner's
 * deletion must be allowed to change the owner's finalizers. Source: plugin/pkg/admission/gc.
 */
export function ownerReferencesPermissionEnforcement(
  table: ApiTable,
  authorizer: Authorizer,
): AdmissionPlugin {
  return {
    name: "OwnerReferencesPermissionEnforcement",
    handles: ({ operation, kind }) =>
      (operation === "CREATE" || operation === "UPDATE") && kind === undefined,
    async validate(request) {
      const now = request.object?.metadata?.ownerReferences ?? [];
      const before = request.oldObject?.metadata?.ownerReferences ?? [];
      if (deepEqual(now, before) || now.length + before.length === 0) return;
      if (request.operation === "UPDATE" && !(await mayDelete(authorizer, request))) {
        throw forbid(
          request,
          "cannot set an ownerRef on a resource you can't delete: User cannot delete the object, <nil>",
        );
      }
      for (const owner of now) {
        const known = before.find(({ uid }) => uid === owner.uid);
        if (owner.blockOwnerDeletion !== true || known?.blockOwnerDeletion === true) continue;
        if (await mayFinalize(table, authorizer, { request, owner })) continue;
        throw forbid(
          request,
          "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>",
        );
      }
    },
  };
}

async function mayDelete(
  authorizer: Authorizer,
  { call, name }: AdmissionRequest,
): Promise<boolean> {
  const { group, version, plural: resource } = call.definition;
  const decision = await authorizer.authorize({
    user: call.user,
    verb: "delete",
    isResource: true,
    group,
    version,
    resource,
    subresource: "",
    namespace: call.namespace,
    name,
    path: "",
  });
  return decision.verdict === "allow";
}

async function mayFinalize(
  table: ApiTable,
  authorizer: Authorizer,
  { request, owner }: { readonly request: AdmissionRequest; readonly owner: OwnerReference },
): Promise<boolean> {
  const { group, version } = parseApiVersion(owner.apiVersion);
  for (const { definition } of table.endpoints()) {
    if (
      definition.group !== group ||
      definition.version !== version ||
      definition.kind !== owner.kind
    )
      continue;
    const decision = await authorizer.authorize({
      user: request.call.user,
      verb: "update",
      isResource: true,
      group,
      version,
      resource: definition.plural,
      subresource: "finalizers",
      namespace: definition.scope === "Namespaced" ? request.call.namespace : "",
      name: owner.name,
      path: "",
    });
    return decision.verdict === "allow";
  }
  return false;
}

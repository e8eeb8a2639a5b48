import type { Namespace } from "#api/core/v1/namespace.ts";
import type { ResourceClaimTemplate } from "#api/resource/v1/resource-claim-template.ts";
import type { ResourceClaim } from "#api/resource/v1/resource-claim.ts";
import { forbidden } from "#apimachinery/field-error.ts";
import { invalidStatus } from "#apimachinery/status.ts";
import type { LiveSet } from "../storage/live-set.ts";
import type { WriteHooks } from "./rest.ts";

const adminLabel = "resource.kubernetes.io/admin-access";

type Requests = NonNullable<ResourceClaim["spec"]["devices"]>["requests"];

/**
 * Claims for devices that others use are made in namespaces that an administrator marked. Specs of
 * claims do not change, so only creates are looked at.
 * Source: pkg/registry/resource AuthorizedForAdmin.
 */
export function adminAccessHooks(namespaces: LiveSet<Namespace>, requestsOf: (object: object) => Requests): WriteHooks {
  return {
    beginCreate(object, { definition: { group, kind } }) {
      const at = (requestsOf(object) ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true);
      const namespace = namespaces.get("", object.metadata?.namespace ?? "");
      if (at >= 0 && namespace?.metadata?.labels?.[adminLabel] !== "true") {
        const detail = `admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`;
        throw invalidStatus({ group, kind }, object.metadata?.name ?? "", [forbidden(`spec.devices.requests[${at}].adminAccess`, detail)]);
      }
      return Promise.resolve(undefined);
    },
  };
}

export function claimRequests(object: object): Requests {
  return (object as ResourceClaim).spec.devices?.requests;
}

export function templateRequests(object: object): Requests {
  return (object as ResourceClaimTemplate).spec.spec.devices?.requests;
}

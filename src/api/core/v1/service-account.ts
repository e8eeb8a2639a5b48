import { TokenRequest } from "#api/authentication/v1/token-request.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, type Infer, kind, listOf, opt, ptr } from "#apimachinery/schema.ts";
import { LocalObjectReference, ObjectReference } from "./object-reference.ts";

export const ServiceAccount = kind("io.k8s.api.core.v1.ServiceAccount", {
  metadata,
  secrets: opt(2, listOf(ObjectReference), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
  imagePullSecrets: opt(3, listOf(LocalObjectReference), { listType: "atomic" }),
  automountServiceAccountToken: ptr(4, bool),
});
export interface ServiceAccount extends Infer<typeof ServiceAccount> {}

export const serviceAccounts = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  scope: "Namespaced",
  schema: ServiceAccount,
  subresources: {
    token: {
      verbs: ["create"],
      kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
      schema: TokenRequest,
      handler: "serviceaccounts/token",
    },
  },
});

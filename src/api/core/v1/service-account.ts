import { ageColumn, nameColumn } from "#apimachinery/columns.ts";
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
  strategy: {
    deleteReturnsObject: true,
    prepareForCreate: dropSecretFields,
    prepareForUpdate: dropSecretFields,
    warnings({ metadata }, { old }) {
      const had = old?.metadata.annotations?.[mountableAnnotation] !== undefined;
      const has = metadata.annotations?.[mountableAnnotation] !== undefined;
      return has && !had
        ? [`metadata.annotations[${mountableAnnotation}]: ${mountableNotice}`]
        : [];
    },
  },
  columns: [nameColumn, ageColumn],
  subresources: {
    token: {
      verbs: ["create"],
      kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
      schema: TokenRequest,
      handler: "serviceaccounts/token",
    },
  },
});

const mountableAnnotation = "kubernetes.io/enforce-mountable-secrets";
const mountableNotice =
  "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";

/** Of the secrets only names are kept. */
function dropSecretFields(account: ServiceAccount): void {
  account.secrets = account.secrets?.map(({ name }) => ({ name }));
}

import { TokenRequest, type TokenRequestSpec } from "#api/authentication/v1/token-request.ts";
import type { ServiceAccount } from "#api/core/v1/service-account.ts";
import { rfc3339 } from "#base/clock.ts";
import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { defineResource, type ResourceDefinition } from "#apimachinery/resource.ts";
import { badRequest, conflict, invalidStatus } from "#apimachinery/status.ts";
import type { JwtObjectReference, ServiceAccountClaims } from "#wire/jwt.ts";
import type { Call } from "../call.ts";
import { decodeBody, kindOf } from "../rest/decode.ts";
import { get } from "../rest/list.ts";
import { trackUpdate } from "../rest/managed-fields.ts";
import { ensureNamespace, metaOf } from "../rest/metadata.ts";
import { admitPosted } from "./admit.ts";
import type { Handler, HandlerContext } from "./handler.ts";

const tokenRequestKind = { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" };
const expirationSecondsMin = 600;
const expirationSecondsMax = 2 ** 32;
/** When the request names no time. */
const expirationSecondsDefault = 3600;

/** Signs tokens for the server. */
export interface TokenIssuer {
  readonly issuer: string;
  /** Audiences of the API server itself, and the default of a request. */
  readonly audiences: readonly string[];
  sign(claims: ServiceAccountClaims): string;
}

/** How fields of a request are booked: it is no resource of its own. */
const tokenRequestDefinition = defineResource({
  ...tokenRequestKind,
  plural: "tokenrequests",
  scope: "Namespaced",
  schema: TokenRequest,
}) as ResourceDefinition;
const tokenRequests = {
  definition: tokenRequestDefinition,
  hub: tokenRequestDefinition,
  versions: () => new Map([["authentication.k8s.io/v1", tokenRequestDefinition]]),
};

/** POST serviceaccounts/NAME/token. Source: registry/core/serviceaccount/storage/token.go. */
export const serviceAccountToken: Handler = async (context, endpoint, call) => {
  const account = (await get(endpoint, call)).object as ServiceAccount;
  const expected = kindOf(TokenRequest, "authentication.k8s.io", "v1");
  const decoded = decodeBody(call, expected, context.table) as TokenRequest;
  const own = metaOf(decoded);
  ensureNamespace(call, own);
  if (own.name && own.name !== call.name) {
    const detail = "must match the service account name if specified";
    const error = invalid("metadata.name", own.name, detail);
    throw invalidStatus({ group: tokenRequestKind.group, kind: tokenRequestKind.kind }, call.name, [error]);
  }
  const asked = decoded.spec?.expirationSeconds ?? expirationSecondsDefault;
  const posted = trackUpdate({
    endpoint: tokenRequests,
    call,
    updated: { ...decoded, spec: { ...decoded.spec, expirationSeconds: asked } } as TokenRequest,
  }) as TokenRequest;
  const request = await admitPosted(context, endpoint, { call, object: posted, kind: tokenRequestKind });
  const seconds = request.spec?.expirationSeconds ?? expirationSecondsDefault;
  refuseInvalid(seconds);
  const bound = await boundTo(context, call, request.spec);
  const { tokens } = context;
  const audiences = request.spec?.audiences?.length ? request.spec.audiences : tokens.audiences;
  const nowSeconds = Math.floor(call.nowMs / 1000);
  const token = tokens.sign({
    aud: [...audiences],
    exp: nowSeconds + seconds,
    iat: nowSeconds,
    iss: tokens.issuer,
    jti: context.rest.random.uuid(),
    "kubernetes.io": {
      namespace: call.namespace,
      ...bound,
      serviceaccount: { name: call.name, uid: account.metadata?.uid ?? "" },
    },
    nbf: nowSeconds,
    sub: `system:serviceaccount:${call.namespace}:${call.name}`,
  });
  const object: TokenRequest = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {
      name: call.name,
      namespace: call.namespace,
      uid: account.metadata?.uid,
      creationTimestamp: rfc3339(call.nowMs),
      managedFields: request.metadata?.managedFields,
    },
    spec: { ...request.spec, audiences: [...audiences], expirationSeconds: seconds },
    status: { token, expirationTimestamp: rfc3339((nowSeconds + seconds) * 1000) },
  };
  return { kind: "object", object, schema: TokenRequest, code: 201 };
};

function refuseInvalid(seconds: number): void {
  const errors: FieldError[] = [];
  const field = "spec.expirationSeconds";
  if (seconds < expirationSecondsMin) {
    errors.push(invalid(field, seconds, "may not specify a duration less than 10 minutes"));
  }
  if (seconds > expirationSecondsMax) {
    errors.push(invalid(field, seconds, "may not specify a duration larger than 2^32 seconds"));
  }
  if (errors.length > 0) {
    throw invalidStatus({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", errors);
  }
}

type Bound = { pod?: JwtObjectReference; node?: JwtObjectReference; secret?: JwtObjectReference };

/** The object that the token dies with; a pod's token also carries its node. */
async function boundTo(context: HandlerContext, call: Call, spec: TokenRequestSpec | undefined): Promise<Bound> {
  const reference = spec?.boundObjectRef;
  if (!reference) return {};
  const { kind = "", apiVersion = "", name = "" } = reference;
  const plural = { Pod: "pods", Secret: "secrets", Node: "nodes" }[kind];
  if (apiVersion !== "v1" || plural === undefined) {
    const slash = apiVersion.indexOf("/");
    const group = slash < 0 ? "" : apiVersion.slice(0, slash);
    const type = `${group}/${apiVersion.slice(slash + 1)}, Kind=${kind}`;
    throw badRequest(`cannot bind token to object of type ${type}`);
  }
  const object = await read(context, call, { plural, name });
  const uid = object.metadata?.uid ?? "";
  if (reference.uid && reference.uid !== uid) {
    const why = `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: "", resource: kind }, name, why);
  }
  if (kind === "Secret") return { secret: { name, uid } };
  if (kind === "Node") return { node: { name, uid } };
  const { spec: podSpec } = object as KubeObject & { spec?: { serviceAccountName?: string; nodeName?: string } };
  if (podSpec?.serviceAccountName !== call.name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(call.name)} to pod running with different serviceaccount name.`,
    );
  }
  const nodeName = podSpec.nodeName ?? "";
  if (nodeName === "") return { pod: { name, uid } };
  const node = await read(context, call, { plural: "nodes", name: nodeName }).catch(() => undefined);
  return { pod: { name, uid }, node: { name: nodeName, uid: node?.metadata?.uid ?? "" } };
}

async function read(
  { table }: HandlerContext,
  call: Call,
  { plural, name }: { plural: string; name: string },
): Promise<KubeObject> {
  const endpoint = table.find("", "v1", plural);
  if (endpoint === undefined) throw badRequest(`no ${plural}`);
  const namespace = plural === "nodes" ? "" : call.namespace;
  const entry = await get(endpoint, { ...call, definition: endpoint.definition, namespace, name, options: {} });
  return entry.object;
}

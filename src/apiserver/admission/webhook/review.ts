import type { AdmissionResponse } from "#api/admission/v1/admission-review.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import type { GroupVersionKind } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { isDryRun, type User } from "../../call.ts";
import {
  type AdmissionRequest,
  namespaceOf,
  operationOptions,
  requestKind,
  wireObject,
} from "../request.ts";

/** The `request` of an AdmissionReview without its uid and objects; also CEL's `request`. */
export function reviewedRequest(request: AdmissionRequest, definition: ResourceDefinition): object {
  const { call, name, operation } = request;
  const asked = call.definition;
  const namespace = namespaceOf(request);
  const { subresource } = call;
  return {
    kind: kindIn(request, definition),
    resource: { group: definition.group, version: definition.version, resource: definition.plural },
    ...(subresource !== "" && { subResource: subresource }),
    requestKind: plainKind(requestKind(request)),
    requestResource: { group: asked.group, version: asked.version, resource: asked.plural },
    ...(subresource !== "" && { requestSubResource: subresource }),
    ...(name !== "" && { name }),
    ...(namespace !== "" && { namespace }),
    operation,
    userInfo: userInfo(call.user),
    dryRun: isDryRun(call),
    options: operationOptions(request),
  };
}

function kindIn(request: AdmissionRequest, { group, version, kind }: ResourceDefinition): object {
  return plainKind(request.kind ?? { group, version, kind });
}

function plainKind({ group, version, kind }: GroupVersionKind): object {
  return { group, version, kind };
}

function userInfo({ name, uid, groups, extra }: User): object {
  return {
    ...(name !== "" && { username: name }),
    ...(uid !== "" && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

export interface Review {
  readonly uid: string;
  readonly version: "v1" | "v1beta1";
  readonly body: string;
}

/**
 * The review that a webhook gets, in the first of its versions that is known. Undefined: none is.
 */
export function createReview(
  request: AdmissionRequest,
  spec: {
    readonly definition: ResourceDefinition;
    readonly uid: string;
    readonly versions: readonly string[];
  },
): Review | undefined {
  const { definition, uid } = spec;
  const version = spec.versions.find((one) => one === "v1" || one === "v1beta1");
  if (version === undefined) return undefined;
  const { dryRun, options, ...head } = reviewedRequest(request, definition) as Record<
    string,
    unknown
  >;
  const body = JSON.stringify({
    kind: "AdmissionReview",
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      ...head,
      object: wireObject(request, request.object, definition),
      oldObject: wireObject(request, request.oldObject, definition),
      dryRun,
      options,
    },
  });
  return { uid, version: version as Review["version"], body };
}

/** An answer that breaks the protocol. */
export class ReviewError extends Error {
  override readonly name = "ReviewError";
}

export interface Verdict extends Pick<
  AdmissionResponse,
  "allowed" | "auditAnnotations" | "warnings"
> {
  readonly status?: Record<string, unknown>;
  /** JSON text. */
  readonly patch?: string;
  readonly patchType?: string;
}

/**
 * Reads a webhook's answer. Errors: `ReviewError`. Source: webhook/request VerifyAdmissionResponse.
 */
export function readVerdict(answer: unknown, review: Review, mutating: boolean): Verdict {
  const { response, kind, apiVersion } = isJsonMap(answer) ? answer : {};
  if (!isJsonMap(response)) throw new ReviewError("webhook response was absent");
  if (review.version === "v1") {
    const uid = typeof response["uid"] === "string" ? response["uid"] : "";
    if (uid !== review.uid) {
      throw new ReviewError(
        `expected response.uid=${JSON.stringify(review.uid)}, got ${JSON.stringify(uid)}`,
      );
    }
    const found = { kind: text(kind), apiVersion: text(apiVersion) };
    if (found.kind !== "AdmissionReview" || found.apiVersion !== "admission.k8s.io/v1") {
      throw new ReviewError(
        "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, " +
          `got ${found.apiVersion}, Kind=${found.kind}`,
      );
    }
  }
  const patch = Buffer.from(text(response["patch"]), "base64").toString("utf8");
  const patchType = response["patchType"] === undefined ? undefined : text(response["patchType"]);
  if (review.version === "v1") checkPatch({ patch, patchType, mutating });
  const { status, auditAnnotations, warnings } = response;
  return {
    allowed: response["allowed"] === true,
    ...(isJsonMap(status) && { status }),
    ...(isJsonMap(auditAnnotations) && { auditAnnotations: stringValues(auditAnnotations) }),
    ...(Array.isArray(warnings) && { warnings: warnings.map(text) }),
    ...(mutating &&
      patch !== "" && {
        patch,
        patchType: review.version === "v1" ? (patchType ?? "") : "JSONPatch",
      }),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function stringValues(map: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, text(value)]));
}

interface Patched {
  readonly patch: string;
  readonly patchType: string | undefined;
  readonly mutating: boolean;
}

function checkPatch({ patch, patchType, mutating }: Patched): void {
  if (!mutating) {
    if (patch !== "") throw new ReviewError("validating webhook may not return response.patch");
    if (patchType !== undefined)
      throw new ReviewError("validating webhook may not return response.patchType");
    return;
  }
  if (patch !== "" && patchType === undefined) {
    throw new ReviewError("webhook returned response.patch but not response.patchType");
  }
  if (patch === "" && patchType !== undefined) {
    throw new ReviewError("webhook returned response.patchType but not response.patch");
  }
  if (patchType === "") throw new ReviewError('webhook returned invalid response.patchType of ""');
}

import { SelfSubjectReview } from "#api/authentication/v1/self-subject-review.ts";
import { LocalSubjectAccessReview } from "#api/authorization/v1/local-subject-access-review.ts";
import { SelfSubjectAccessReview } from "#api/authorization/v1/self-subject-access-review.ts";
import { SelfSubjectRulesReview } from "#api/authorization/v1/self-subject-rules-review.ts";
import { SubjectAccessReview } from "#api/authorization/v1/subject-access-review.ts";
import { rfc3339 } from "#base/clock.ts";
import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import { badRequest, invalidStatus } from "#apimachinery/status.ts";
import type { Answer } from "../answer.ts";
import type { Attributes } from "../authorization/authorizer.ts";
import { authenticated } from "../authentication/authenticator.ts";
import type { Call, User } from "../call.ts";
import { decodeBody, kindOf } from "../rest/decode.ts";
import type { Handler, HandlerContext } from "./handler.ts";

const authorizationGroup = "authorization.k8s.io";

type ReviewSpec = Pick<NonNullable<SubjectAccessReview["spec"]>, "resourceAttributes" | "nonResourceAttributes">;

/** POST subjectaccessreviews: may that user do this? */
export const subjectAccessReview: Handler = async (context, _endpoint, call) => {
  const review = decodeBody(call, kindOf(SubjectAccessReview, authorizationGroup, "v1"), context.table) as SubjectAccessReview;
  refuseInvalid("SubjectAccessReview", review.spec, true);
  return answerReview(context, call, { review, schema: SubjectAccessReview, user: userOf(review.spec) });
};

/** POST localsubjectaccessreviews: the same inside one namespace. */
export const localSubjectAccessReview: Handler = async (context, _endpoint, call) => {
  const review = decodeBody(call, kindOf(LocalSubjectAccessReview, authorizationGroup, "v1"), context.table) as LocalSubjectAccessReview;
  refuseInvalid("LocalSubjectAccessReview", review.spec, true);
  const namespace = review.spec?.resourceAttributes?.namespace ?? "";
  if (namespace !== call.namespace) {
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${call.namespace}`);
  }
  return answerReview(context, call, { review, schema: LocalSubjectAccessReview, user: userOf(review.spec) });
};

/** POST selfsubjectaccessreviews: may I? */
export const selfSubjectAccessReview: Handler = async (context, _endpoint, call) => {
  const review = decodeBody(call, kindOf(SelfSubjectAccessReview, authorizationGroup, "v1"), context.table) as SelfSubjectAccessReview;
  refuseInvalid("SelfSubjectAccessReview", review.spec, false);
  return answerReview(context, call, { review, schema: SelfSubjectAccessReview, user: call.user });
};

interface Reviewed {
  readonly review: { spec?: ReviewSpec | undefined };
  readonly schema: typeof SubjectAccessReview | typeof SelfSubjectAccessReview | typeof LocalSubjectAccessReview;
  readonly user: User;
}

async function answerReview(context: HandlerContext, call: Call, reviewed: Reviewed): Promise<Answer> {
  const { review, schema, user } = reviewed;
  const decision = await context.authorizer.authorize(attributesOf(user, review.spec ?? {}));
  const object = {
    ...review,
    metadata: { creationTimestamp: rfc3339(call.nowMs) },
    status: {
      allowed: decision.verdict === "allow",
      ...(decision.verdict === "deny" && { denied: true }),
      ...(decision.reason !== "" && { reason: decision.reason }),
    },
  };
  return { kind: "object", object: withoutCreation(object), schema, code: 201 };
}

/** Reviews are no stored objects: the time is not part of the answer. */
function withoutCreation<T extends { metadata?: object }>(object: T): T {
  return { ...object, metadata: {} };
}

function userOf(spec: SubjectAccessReview["spec"]): User {
  const extra: Record<string, string[]> = spec?.extra ?? {};
  return { name: spec?.user ?? "", uid: spec?.uid ?? "", groups: spec?.groups ?? [], extra };
}

function attributesOf(user: User, { resourceAttributes: of, nonResourceAttributes: path }: ReviewSpec): Attributes {
  const plain = { group: "", version: "", resource: "", subresource: "", name: "", namespace: "" };
  if (of === undefined) {
    return { ...plain, user, verb: path?.verb ?? "", isResource: false, path: path?.path ?? "" };
  }
  return {
    user,
    verb: of.verb ?? "",
    isResource: true,
    namespace: of.namespace ?? "",
    group: of.group ?? "",
    version: of.version ?? "",
    resource: of.resource ?? "",
    subresource: of.subresource ?? "",
    name: of.name ?? "",
    path: "",
  };
}

function refuseInvalid(kind: string, spec: SubjectAccessReview["spec"], withUser: boolean): void {
  const errors: FieldError[] = [];
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec ?? {};
  if (resource !== undefined && path !== undefined) {
    const detail = "cannot be specified in combination with resourceAttributes";
    errors.push(invalid("spec.nonResourceAttributes", path, detail));
  }
  if (resource === undefined && path === undefined) {
    errors.push(invalid("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
  }
  if (withUser && !spec?.user && (spec?.groups?.length ?? 0) === 0) {
    errors.push(invalid("spec.user", spec?.user ?? "", "at least one of user or group must be specified"));
  }
  if (errors.length > 0) throw invalidStatus({ group: authorizationGroup, kind }, "", errors);
}

/** POST selfsubjectrulesreviews: what may I do in a namespace? */
export const selfSubjectRulesReview: Handler = (context, _endpoint, call) => {
  const review = decodeBody(call, kindOf(SelfSubjectRulesReview, authorizationGroup, "v1"), context.table) as SelfSubjectRulesReview;
  const namespace = review.spec?.namespace ?? "";
  if (namespace === "") throw badRequest("no namespace on request");
  const rules = context.authorizer.rulesFor?.(call.user, namespace);
  const object = {
    ...review,
    metadata: {},
    spec: {},
    status: {
      resourceRules: (rules?.resourceRules ?? []).map((rule) => ({ ...rule })),
      nonResourceRules: (rules?.nonResourceRules ?? []).map((rule) => ({ ...rule })),
      incomplete: rules?.incomplete ?? true,
      ...(rules?.evaluationError && { evaluationError: rules.evaluationError }),
    },
  };
  return Promise.resolve({ kind: "object", object, schema: SelfSubjectRulesReview, code: 201 });
};

/** POST selfsubjectreviews: who am I? */
export const selfSubjectReview: Handler = (context, _endpoint, call) => {
  decodeBody(call, kindOf(SelfSubjectReview, "authentication.k8s.io", "v1"), context.table);
  const { name, uid, groups, extra } = authenticated(call.user);
  const object = {
    kind: "SelfSubjectReview",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { creationTimestamp: rfc3339(call.nowMs) },
    status: {
      userInfo: {
        username: name,
        ...(uid !== "" && { uid }),
        groups: [...groups],
        ...(Object.keys(extra).length > 0 && {
          extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])),
        }),
      },
    },
  };
  return Promise.resolve({ kind: "object", object, schema: SelfSubjectReview, code: 201 });
};


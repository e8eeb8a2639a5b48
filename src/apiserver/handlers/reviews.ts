import { SelfSubjectReview } from "#api/authentication/v1/self-subject-review.ts";
import { LocalSubjectAccessReview } from "#api/authorization/v1/local-subject-access-review.ts";
import { SelfSubjectAccessReview } from "#api/authorization/v1/self-subject-access-review.ts";
import { SelfSubjectRulesReview } from "#api/authorization/v1/self-subject-rules-review.ts";
import { SubjectAccessReview } from "#api/authorization/v1/subject-access-review.ts";
import { rfc3339 } from "#base/clock.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import { badRequest } from "#apimachinery/status.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Answer } from "../answer.ts";
import type { Attributes } from "../authorization/authorizer.ts";
import { authenticated } from "../authentication/authenticator.ts";
import type { Call, Endpoint, User } from "../call.ts";
import { decodeBody, kindOf } from "../rest/decode.ts";
import { trackUpdate } from "../rest/managed-fields.ts";
import { ensureNamespace, metaOf } from "../rest/metadata.ts";
import { admitPosted } from "./admit.ts";
import type { Handler, HandlerContext } from "./handler.ts";
import { refuseInvalidReview } from "./review-validation.ts";

const authorizationGroup = "authorization.k8s.io";

type ReviewSpec = Pick<NonNullable<SubjectAccessReview["spec"]>, "resourceAttributes" | "nonResourceAttributes">;

/** POST subjectaccessreviews: may that user do this? */
export const subjectAccessReview: Handler = async (context, endpoint, call) => {
  const review = await posted<SubjectAccessReview>(context, endpoint, { call, schema: SubjectAccessReview });
  refuseInvalidReview(review, { named: true });
  return answerReview(context, { review, schema: SubjectAccessReview, user: userOf(review.spec) });
};

/** POST localsubjectaccessreviews: the same inside one namespace. */
export const localSubjectAccessReview: Handler = async (context, endpoint, call) => {
  const review = await posted<LocalSubjectAccessReview>(context, endpoint, { call, schema: LocalSubjectAccessReview });
  refuseInvalidReview(review, { named: true, namespace: call.namespace });
  return answerReview(context, { review, schema: LocalSubjectAccessReview, user: userOf(review.spec) });
};

/** POST selfsubjectaccessreviews: may I? */
export const selfSubjectAccessReview: Handler = async (context, endpoint, call) => {
  const review = await posted<SelfSubjectAccessReview>(context, endpoint, { call, schema: SelfSubjectAccessReview });
  refuseInvalidReview(review, { named: false });
  return answerReview(context, { review, schema: SelfSubjectAccessReview, user: call.user });
};

/** The decoded body, booked to its writer and admitted as every created object is. */
async function posted<T extends KubeObject>(
  context: HandlerContext,
  endpoint: Endpoint,
  { call, schema }: { readonly call: Call; readonly schema: StructSchema<Fields> },
): Promise<T> {
  const { group, version, kind } = endpoint.definition;
  const decoded = decodeBody(call, kindOf(schema, group, version), context.table);
  ensureNamespace(call, metaOf(decoded));
  const object = trackUpdate({ endpoint, call, updated: decoded }) as T;
  return admitPosted(context, endpoint, { call, object, kind: { group, version, kind } });
}

interface Reviewed {
  readonly review: { metadata?: object | undefined; spec?: ReviewSpec | undefined };
  readonly schema: typeof SubjectAccessReview | typeof SelfSubjectAccessReview | typeof LocalSubjectAccessReview;
  readonly user: User;
}

async function answerReview({ authorizer }: HandlerContext, { review, schema, user }: Reviewed): Promise<Answer> {
  const decision = await authorizer.authorize(attributesOf(user, review.spec ?? {}));
  const object = {
    ...review,
    status: {
      allowed: decision.verdict === "allow",
      ...(decision.verdict === "deny" && { denied: true }),
      ...(decision.reason !== "" && { reason: decision.reason }),
    },
  };
  return { kind: "object", object, schema, code: 201 };
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


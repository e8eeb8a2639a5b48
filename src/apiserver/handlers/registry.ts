import { bindings, podBinding } from "./binding.ts";
import { namespaceFinalize } from "./finalize.ts";
import type { Handler } from "./handler.ts";
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectReview,
  selfSubjectRulesReview,
  subjectAccessReview,
} from "./reviews.ts";
import { serviceAccountToken } from "./token-request.ts";

/** Handlers of subresources and virtual resources, by the names that `src/api` gives them. */
export const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["bindings", bindings],
  ["localsubjectaccessreviews", localSubjectAccessReview],
  ["namespaces/finalize", namespaceFinalize],
  ["pods/binding", podBinding],
  ["selfsubjectaccessreviews", selfSubjectAccessReview],
  ["selfsubjectreviews", selfSubjectReview],
  ["selfsubjectrulesreviews", selfSubjectRulesReview],
  ["serviceaccounts/token", serviceAccountToken],
  ["subjectaccessreviews", subjectAccessReview],
]);

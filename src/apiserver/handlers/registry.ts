import { bindings, podBinding } from "./binding.ts";
import { componentStatuses } from "./component-status.ts";
import { podEviction } from "./eviction.ts";
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
import { tokenReview } from "./token-review.ts";

/** Handlers of subresources and virtual resources, by the names that `src/api` gives them. */
export const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["bindings", bindings],
  ["componentstatuses", componentStatuses],
  ["localsubjectaccessreviews", localSubjectAccessReview],
  ["namespaces/finalize", namespaceFinalize],
  ["pods/binding", podBinding],
  ["pods/eviction", podEviction],
  ["selfsubjectaccessreviews", selfSubjectAccessReview],
  ["selfsubjectreviews", selfSubjectReview],
  ["selfsubjectrulesreviews", selfSubjectRulesReview],
  ["serviceaccounts/token", serviceAccountToken],
  ["subjectaccessreviews", subjectAccessReview],
  ["tokenreviews", tokenReview],
]);

import { forbiddenStatus, type StatusError } from "#apimachinery/status.ts";
import type { User } from "../call.ts";

/** One question: may this user do that? */
export interface Attributes {
  readonly user: User;
  readonly verb: string;
  readonly isResource: boolean;
  readonly namespace: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Of a request that is no resource. */
  readonly path: string;
}

export interface Decision {
  readonly verdict: "allow" | "deny" | "noOpinion";
  readonly reason: string;
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision | Promise<Decision>;
  /** Rules of a user in a namespace, for SelfSubjectRulesReview. */
  rulesFor?(user: User, namespace: string): RulesOf;
}

export interface RulesOf {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly NonResourceRule[];
  readonly incomplete: boolean;
  readonly evaluationError: string;
}

export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

export const noOpinion: Decision = { verdict: "noOpinion", reason: "" };

/** Whoever is in `system:masters` may do everything. */
export const mastersAuthorizer: Authorizer = {
  authorize: ({ user }) =>
    user.groups.includes("system:masters") ? { verdict: "allow", reason: "" } : noOpinion,
};

/** First opinion wins; without one the reasons are joined. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    async authorize(attributes) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = await authorizer.authorize(attributes);
        if (decision.verdict !== "noOpinion") return decision;
        if (decision.reason !== "") reasons.push(decision.reason);
      }
      return { verdict: "noOpinion", reason: reasons.join("\n") };
    },
    rulesFor(user, namespace) {
      const all = authorizers.flatMap((authorizer) => authorizer.rulesFor?.(user, namespace) ?? []);
      return {
        resourceRules: all.flatMap((rules) => rules.resourceRules),
        nonResourceRules: all.flatMap((rules) => rules.nonResourceRules),
        incomplete: all.some((rules) => rules.incomplete),
        evaluationError: all.map((rules) => rules.evaluationError).filter(Boolean).join("; "),
      };
    },
  };
}

/** The 403 of a refused request. Source: apiserver/pkg/endpoints/handlers/responsewriters/errors.go. */
export function forbiddenBy(attributes: Attributes, reason: string): StatusError {
  const why = reason === "" ? "" : `: ${reason}`;
  const text = `${describe(attributes)}${why}`;
  const { group, resource, name, isResource } = attributes;
  return forbiddenStatus({ group: isResource ? group : "", resource: isResource ? resource : "" }, isResource ? name : "", text);
}

function describe(attributes: Attributes): string {
  const who = `User ${JSON.stringify(attributes.user.name)}`;
  if (!attributes.isResource) return `${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`;
  const resource = attributes.subresource === "" ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const what = `${who} cannot ${attributes.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(attributes.group)}`;
  return attributes.namespace === ""
    ? `${what} at the cluster scope`
    : `${what} in the namespace ${JSON.stringify(attributes.namespace)}`;
}

import type { FlowSchemaSpec, PolicyRulesWithSubjects, ResourcePolicyRule, Subject } from "#api/flowcontrol/v1/flow-schema.ts";
import type { User } from "../call.ts";
import type { RequestInfo } from "../http/request-info.ts";

/** The rules of a schema that speak of the user. Source: flowcontrol/rule.go. */
export function rulesOfUser({ rules }: FlowSchemaSpec, user: User): PolicyRulesWithSubjects[] {
  return rules?.filter(({ subjects }) => subjects.some((subject) => matchesSubject(subject, user))) ?? [];
}

/** Whether a rule that speaks of the user speaks of the request. */
export function matchesRequest(rule: PolicyRulesWithSubjects, info: RequestInfo): boolean {
  if (info.isResource) return rule.resourceRules?.some((of) => matchesResource(of, info)) ?? false;
  return (
    rule.nonResourceRules?.some(
      ({ verbs, nonResourceURLs }) => contains(verbs, info.verb) && matchesPath(nonResourceURLs, info.path),
    ) ?? false
  );
}

function matchesSubject({ kind, user: byUser, group, serviceAccount }: Subject, user: User): boolean {
  switch (kind) {
    case "User":
      return byUser != null && (byUser.name === "*" || byUser.name === user.name);
    case "Group":
      return group != null && (group.name === "*" || user.groups.includes(group.name));
    case "ServiceAccount": {
      if (serviceAccount == null) return false;
      const { namespace, name } = serviceAccount;
      const prefix = `system:serviceaccount:${namespace}:`;
      return name === "*" ? user.name.startsWith(prefix) : user.name === prefix + name;
    }
    default:
      return false;
  }
}

function matchesResource({ verbs, resources, apiGroups, clusterScope, namespaces }: ResourcePolicyRule, info: RequestInfo): boolean {
  if (!contains(verbs, info.verb) || !contains(apiGroups, info.group)) return false;
  const { resource, subresource } = info;
  if (!contains(resources, subresource === "" ? resource : `${resource}/${subresource}`)) return false;
  return info.namespace === "" ? clusterScope === true : contains(namespaces ?? [], info.namespace);
}

/** A star counts only alone. */
function contains(list: readonly string[], value: string): boolean {
  return (list.length === 1 && list[0] === "*") || list.includes(value);
}

/** `/a/*` and `/a` are both whatever is below `/a`. */
function matchesPath(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => {
    if (pattern === "*" || pattern === path) return true;
    const prefix = pattern.endsWith("*") ? pattern.slice(0, -1) : pattern;
    return path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
  });
}

import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { forbiddenStatus, notFound } from "#apimachinery/status.ts";
import type { Call } from "../call.ts";
import type { WriteHooks } from "../rest/rest.ts";
import type { Authorizer } from "./authorizer.ts";
import type { BindingObject, PolicyRule, Rbac, RbacSources, RoleObject } from "./rbac.ts";
import { goList, missingRules, ruleText } from "./rule-cover.ts";

/**
 * Nobody grants by RBAC what they do not hold themselves, unless the verbs `escalate` (of roles) or
 * `bind` (of what is bound) let them. Source: pkg/registry/rbac/{role,rolebinding}/policybased.
 */
export interface EscalationGuard {
  readonly rbac: Rbac;
  readonly authorizer: Authorizer;
  readonly sources: Pick<RbacSources, "roles" | "clusterRoles">;
}

const group = "rbac.authorization.k8s.io";
const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

interface ClusterRole extends RoleObject {
  readonly aggregationRule?: unknown;
}

/** Guards writes of roles and cluster roles. */
export function roleHooks(guard: EscalationGuard): WriteHooks {
  const check = async (object: KubeObject, call: Call): Promise<undefined> => {
    const role = object as ClusterRole;
    const name = role.metadata?.name ?? "";
    if (
      isPrivileged(call) ||
      (await isAllowed(guard, call, { verb: "escalate", resource: call.definition.plural, name }))
    ) {
      return undefined;
    }
    refuseMissing(guard, call, { rules: role.rules ?? [], name });
    // A rule that gathers others can gather anything.
    if (role.aggregationRule !== undefined && missingRules(guard.rbac.rules(call.user, call.namespace), everything).length > 0) {
      throw forbiddenStatus({ group, resource: call.definition.plural }, name, "must have cluster-admin privileges to use the aggregationRule");
    }
    return undefined;
  };
  return {
    beginCreate: check,
    beginUpdate: (object, old, call) => {
      const [now, before] = [object as ClusterRole, old as ClusterRole];
      const same =
        deepEqual(now.rules, before.rules) &&
        deepEqual(now.aggregationRule, before.aggregationRule);
      return same ? Promise.resolve(undefined) : check(object, call);
    },
  };
}

/** Guards writes of role bindings and cluster role bindings. */
export function bindingHooks(guard: EscalationGuard): WriteHooks {
  const check = async (object: KubeObject, call: Call): Promise<undefined> => {
    const { roleRef, metadata } = object as BindingObject;
    const resource = roleRef.kind === "Role" ? "roles" : "clusterroles";
    if (
      isPrivileged(call) ||
      (await isAllowed(guard, call, { verb: "bind", resource, name: roleRef.name }))
    ) {
      return undefined;
    }
    const { roles, clusterRoles } = guard.sources;
    const role =
      roleRef.kind === "Role"
        ? roles.get(call.namespace, roleRef.name)
        : clusterRoles.get("", roleRef.name);
    if (role === undefined)
      throw notFound({ group, resource: call.definition.plural }, roleRef.name);
    refuseMissing(guard, call, { rules: role.rules ?? [], name: metadata?.name ?? "" });
    return undefined;
  };
  return {
    beginCreate: check,
    beginUpdate: (object, old, call) => {
      const [now, before] = [object as BindingObject, old as BindingObject];
      const same =
        deepEqual(now.roleRef, before.roleRef) && deepEqual(now.subjects, before.subjects);
      return same ? Promise.resolve(undefined) : check(object, call);
    },
  };
}

function isPrivileged({ user }: Call): boolean {
  return user.groups.includes("system:masters");
}

async function isAllowed(
  { authorizer }: EscalationGuard,
  { user, namespace, definition }: Call,
  asked: { readonly verb: string; readonly resource: string; readonly name: string },
): Promise<boolean> {
  const { version } = definition;
  const rest = { user, isResource: true, group, version, subresource: "", namespace, path: "" };
  const decision = await authorizer.authorize({ ...rest, ...asked });
  return decision.verdict === "allow";
}

function refuseMissing(
  { rbac }: EscalationGuard,
  { user, namespace, definition }: Call,
  { rules, name }: { readonly rules: readonly PolicyRule[]; readonly name: string },
): void {
  const missing = missingRules(rbac.rules(user, namespace), rules);
  if (missing.length === 0) return;
  const who = `user ${JSON.stringify(user.name)} (groups=${goList(user.groups)})`;
  const texts = [...new Set(missing.map(ruleText))].sort().join("\n");
  throw forbiddenStatus(
    { group, resource: definition.plural },
    name,
    `${who} is attempting to grant RBAC permissions not currently held:\n${texts}`,
  );
}

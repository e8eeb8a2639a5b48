import { clusterRoleBindings } from "#api/rbac/v1/cluster-role-binding.ts";
import { clusterRoles as clusterRoleResource } from "#api/rbac/v1/cluster-role.ts";
import { roleBindings } from "#api/rbac/v1/role-binding.ts";
import { roles } from "#api/rbac/v1/role.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { type KubeObject, keyOfObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { ignoreAlreadyExists } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import type { BindingObject, PolicyRule, RoleObject, Subject } from "../authorization/rbac.ts";
import { clusterRoles } from "./cluster-roles.ts";
import { controllerRoles } from "./controller-roles.ts";
import { namespaceRoles } from "./namespace-roles.ts";
import { autoupdate, bindingObject, roleObject } from "./rbac-policy.ts";
import { bindings } from "./role-bindings.ts";

/**
 * Brings the default roles and bindings into being, and adds what an older start left out; objects
 * whose autoupdate annotation is "false" stay as they are. Extra rules and subjects are kept.
 * Source: component-helpers/auth/rbac/reconciliation.
 */
export async function reconcileRbac(client: Client): Promise<void> {
  const cluster = [...clusterRoles, ...controllerRoles].map(roleObject);
  await ensureAll(client, clusterRoleResource as ResourceDefinition, cluster);
  await ensureAll(client, roles as ResourceDefinition, namespaceRoles.map(roleObject));
  const all = bindings.map(bindingObject);
  const isCluster = (object: KubeObject): boolean => object.kind === "ClusterRoleBinding";
  await ensureAll(client, clusterRoleBindings as ResourceDefinition, all.filter(isCluster));
  await ensureAll(client, roleBindings as ResourceDefinition, all.filter((object) => !isCluster(object)));
}

async function ensureAll(
  client: Client,
  definition: ResourceDefinition,
  wanted: readonly KubeObject[],
): Promise<void> {
  const resource = client.resource(definition);
  const present = new Map((await resource.list()).items.map((object) => [keyOfObject(object), object]));
  await Promise.all(
    wanted.map(async (object) => {
      const found = present.get(keyOfObject(object));
      if (found === undefined) {
        await ignoreAlreadyExists(resource.create(object));
        return;
      }
      const updated = merged(found, object);
      if (updated !== undefined) await resource.update(updated);
    }),
  );
}

/** What is stored with what is missing added; undefined when nothing is. */
export function merged(found: KubeObject, wanted: KubeObject): KubeObject | undefined {
  if (found.metadata?.annotations?.[autoupdate] === "false") return undefined;
  const metadata = {
    ...found.metadata,
    labels: { ...found.metadata?.labels, ...wanted.metadata?.labels },
    annotations: { ...found.metadata?.annotations, ...wanted.metadata?.annotations },
  };
  const updated = {
    ...found,
    metadata,
    ...("subjects" in wanted && { subjects: withMissing(found, wanted as BindingObject) }),
    ...(("rules" in wanted && !("aggregationRule" in wanted)) && { rules: withMissingRules(found, wanted) }),
  };
  return deepEqual(updated, found) ? undefined : updated;
}

function withMissing(found: KubeObject, wanted: BindingObject): Subject[] {
  const present = [...((found as BindingObject).subjects ?? [])];
  for (const subject of wanted.subjects ?? []) {
    if (!present.some((other) => deepEqual(other, subject))) present.push(subject);
  }
  return present;
}

function withMissingRules(found: KubeObject, wanted: KubeObject): readonly PolicyRule[] | null {
  const present = [...((found as RoleObject).rules ?? [])];
  for (const rule of (wanted as RoleObject).rules ?? []) {
    if (!present.some((other) => covers(other, rule))) present.push(rule);
  }
  return present.length === 0 ? null : present;
}

function covers(owner: PolicyRule, rule: PolicyRule): boolean {
  const fields = ["verbs", "apiGroups", "resources", "nonResourceURLs"] as const;
  return (
    fields.every((field) => {
      const have = owner[field] ?? [];
      return have.includes("*") || (rule[field] ?? []).every((value) => have.includes(value));
    }) && deepEqual(owner.resourceNames ?? [], rule.resourceNames ?? [])
  );
}

import type { BindingObject, PolicyRule, RoleObject, Subject } from "../authorization/rbac.ts";

/** A default role in short: labels and aggregations by their keys, each with the value "true". */
export interface RoleSpec {
  readonly name: string;
  /** Of a Role; a ClusterRole without. */
  readonly namespace?: string;
  readonly labels?: readonly string[];
  readonly aggregates?: readonly string[];
  readonly rules?: readonly PolicyRule[];
}

/** A default binding; subjects are `user:NAME`, `group:NAME` or `sa:NAMESPACE/NAME`. */
export interface BindingSpec {
  readonly name: string;
  readonly namespace?: string;
  readonly role?: string;
  readonly clusterRole?: string;
  readonly subjects: readonly string[];
}

/** Words to a list; `""` stands for the core group. */
function words(text: string): string[] {
  return text.split(" ").map((word) => (word === '""' ? "" : word));
}

export function rule(verbs: string, groups: string, resources: string): PolicyRule {
  return { verbs: words(verbs), apiGroups: words(groups), resources: words(resources) };
}

export function named(
  verbs: string,
  what: { readonly groups: string; readonly resources: string; readonly names: string },
): PolicyRule {
  return { ...rule(verbs, what.groups, what.resources), resourceNames: words(what.names) };
}

export function urls(verbs: string, paths: string): PolicyRule {
  return { verbs: words(verbs), nonResourceURLs: words(paths) };
}

const rbacGroup = "rbac.authorization.k8s.io";
const defaultsLabel = { "kubernetes.io/bootstrapping": "rbac-defaults" };
/** While it is "true", every start brings the object up to date. */
export const autoupdate = "rbac.authorization.kubernetes.io/autoupdate";

function metadataOf(spec: { name: string; namespace?: string; labels?: readonly string[] }): object {
  const labels = Object.fromEntries((spec.labels ?? []).map((key) => [key, "true"]));
  return {
    name: spec.name,
    ...(spec.namespace !== undefined && { namespace: spec.namespace }),
    labels: { ...defaultsLabel, ...labels },
    annotations: { [autoupdate]: "true" },
  };
}

export function roleObject(spec: RoleSpec): RoleObject {
  return {
    kind: spec.namespace === undefined ? "ClusterRole" : "Role",
    apiVersion: `${rbacGroup}/v1`,
    metadata: metadataOf(spec),
    ...(spec.aggregates && {
      aggregationRule: {
        clusterRoleSelectors: spec.aggregates.map((key) => ({ matchLabels: { [key]: "true" } })),
      },
    }),
    rules: spec.rules ?? null,
  } as RoleObject;
}

export function bindingObject(spec: BindingSpec): BindingObject {
  return {
    kind: spec.namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
    apiVersion: `${rbacGroup}/v1`,
    metadata: metadataOf(spec),
    subjects: spec.subjects.map(subjectOf),
    roleRef: {
      apiGroup: rbacGroup,
      kind: spec.role === undefined ? "ClusterRole" : "Role",
      name: spec.role ?? spec.clusterRole ?? "",
    },
  };
}

function subjectOf(text: string): Subject {
  const [kind = "", name = ""] = text.split(/:(.*)/s);
  if (kind === "sa") {
    const [namespace = "", account = ""] = name.split("/");
    return { kind: "ServiceAccount", name: account, namespace };
  }
  return { kind: kind === "user" ? "User" : "Group", apiGroup: rbacGroup, name };
}

import type { KubeObject } from "#apimachinery/object.ts";
import type { User } from "../call.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { type Attributes, type Authorizer, type Decision, noOpinion, type RulesOf } from "./authorizer.ts";
import { fitsPath } from "./path-pattern.ts";

/** `rbac.authorization.k8s.io/v1` PolicyRule. */
export interface PolicyRule {
  readonly verbs?: readonly string[] | undefined;
  readonly apiGroups?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly resourceNames?: readonly string[] | undefined;
  readonly nonResourceURLs?: readonly string[] | undefined;
}

export interface RoleObject extends KubeObject {
  readonly rules?: readonly PolicyRule[] | null | undefined;
}

export interface Subject {
  readonly kind: string;
  readonly apiGroup?: string | undefined;
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface BindingObject extends KubeObject {
  readonly subjects?: readonly Subject[] | undefined;
  readonly roleRef: { readonly apiGroup?: string; readonly kind: string; readonly name: string };
}

/** The four kinds of RBAC, kept current. */
export interface RbacSources {
  readonly roles: LiveSet<RoleObject>;
  readonly clusterRoles: LiveSet<RoleObject>;
  readonly roleBindings: LiveSet<BindingObject>;
  readonly clusterRoleBindings: LiveSet<BindingObject>;
}

/** A rule together with what granted it, for the reason of an answer. */
interface Grant {
  readonly rule: PolicyRule;
  readonly source: string;
}

export interface Rbac extends Authorizer {
  /** Every rule that a user has in a namespace, and cluster-wide ("" for those alone). */
  rules(user: User, namespace: string): readonly PolicyRule[];
}

/**
 * Role-based access control: only grants, never denies. Bindings are indexed by subject, so a
 * check looks at the user's own bindings alone.
 * Source: plugin/pkg/auth/authorizer/rbac.
 */
export function createRbac(sources: RbacSources): Rbac {
  const index = createIndex(sources);

  function* grants(user: User, namespace: string): Generator<Grant> {
    for (const binding of index.clusterBindings(user)) {
      const { name } = binding.object.roleRef;
      const source = `ClusterRoleBinding ${quoted(binding.object.metadata?.name)} of ClusterRole ${quoted(name)} to ${binding.subject}`;
      for (const rule of sources.clusterRoles.get("", name)?.rules ?? []) yield { rule, source };
    }
    if (namespace === "") return;
    for (const binding of index.bindings(user, namespace)) {
      const { kind, name } = binding.object.roleRef;
      const role = kind === "Role" ? sources.roles.get(namespace, name) : sources.clusterRoles.get("", name);
      const bindingKey = quoted(`${binding.object.metadata?.name}/${namespace}`);
      const source = `RoleBinding ${bindingKey} of ${kind} ${quoted(name)} to ${binding.subject}`;
      for (const rule of role?.rules ?? []) yield { rule, source };
    }
  }

  /** Roles that the user's bindings name and that are not there, as one Go error. */
  function missingRoles(user: User, namespace: string): string {
    const texts = new Set<string>();
    for (const { object } of index.clusterBindings(user)) {
      const { name } = object.roleRef;
      if (sources.clusterRoles.get("", name) === undefined) texts.add(notFoundText("ClusterRole", name));
    }
    for (const { object } of namespace === "" ? [] : index.bindings(user, namespace)) {
      const { kind, name } = object.roleRef;
      const role = kind === "Role" ? sources.roles.get(namespace, name) : sources.clusterRoles.get("", name);
      if (role === undefined) texts.add(notFoundText(kind, name));
    }
    return texts.size > 1 ? `[${[...texts].join(", ")}]` : [...texts].join("");
  }

  return {
    authorize(attributes): Decision {
      for (const grant of grants(attributes.user, attributes.namespace)) {
        if (allows(grant.rule, attributes)) {
          return { verdict: "allow", reason: `RBAC: allowed by ${grant.source}` };
        }
      }
      const missing = missingRoles(attributes.user, attributes.namespace);
      return missing === "" ? noOpinion : { verdict: "noOpinion", reason: `RBAC: ${missing}` };
    },
    rulesFor: (user, namespace) => rulesOf([...grants(user, namespace)].map(({ rule }) => rule)),
    rules: (user, namespace) => [...grants(user, namespace)].map(({ rule }) => rule),
  };
}

function notFoundText(kind: string, name: string): string {
  return `${kind.toLowerCase()}.rbac.authorization.k8s.io ${quoted(name)} not found`;
}

function quoted(text: string | undefined): string {
  return JSON.stringify(text ?? "");
}

function rulesOf(rules: readonly PolicyRule[]): RulesOf {
  return {
    resourceRules: rules
      .filter((rule) => (rule.resources?.length ?? 0) > 0)
      .map((rule) => ({
        verbs: rule.verbs ?? [],
        apiGroups: rule.apiGroups ?? [],
        resources: rule.resources ?? [],
        resourceNames: rule.resourceNames ?? [],
      })),
    nonResourceRules: rules
      .filter((rule) => (rule.nonResourceURLs?.length ?? 0) > 0)
      .map((rule) => ({ verbs: rule.verbs ?? [], nonResourceURLs: rule.nonResourceURLs ?? [] })),
    incomplete: false,
    evaluationError: "",
  };
}

/** Whether one rule grants one request. */
export function allows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResource) return fitsPath(rule.nonResourceURLs ?? [], attributes.path);
  const { resource, subresource } = attributes;
  const combined = subresource === "" ? resource : `${resource}/${subresource}`;
  return (
    has(rule.apiGroups, attributes.group) &&
    (rule.resources ?? []).some(
      (candidate) =>
        candidate === "*" || candidate === combined || (subresource !== "" && candidate === `*/${subresource}`),
    ) &&
    ((rule.resourceNames?.length ?? 0) === 0 || rule.resourceNames?.includes(attributes.name) === true)
  );
}

function has(values: readonly string[] | undefined, wanted: string): boolean {
  return values !== undefined && (values.includes("*") || values.includes(wanted));
}

interface BoundTo {
  readonly object: BindingObject;
  /** The subject that matched, as upstream prints it. */
  readonly subject: string;
}

interface BindingIndex {
  clusterBindings(user: User): readonly BoundTo[];
  bindings(user: User, namespace: string): readonly BoundTo[];
}

/** Bindings by subject, rebuilt when a binding changed since the last question. */
function createIndex(sources: RbacSources): BindingIndex {
  let clusterSeen = -1;
  let seen = -1;
  let cluster = new Map<string, BoundTo[]>();
  let perNamespace = new Map<string, BoundTo[]>();
  return {
    clusterBindings(user) {
      if (clusterSeen !== sources.clusterRoleBindings.generation) {
        clusterSeen = sources.clusterRoleBindings.generation;
        cluster = indexOf(sources.clusterRoleBindings.values(), "");
      }
      return keysOf(user).flatMap((key) => cluster.get(key) ?? []);
    },
    bindings(user, namespace) {
      if (seen !== sources.roleBindings.generation) {
        seen = sources.roleBindings.generation;
        perNamespace = indexOf(sources.roleBindings.values());
      }
      return keysOf(user).flatMap((key) => perNamespace.get(`${namespace}|${key}`) ?? []);
    },
  };
}

function indexOf(bindings: Iterable<BindingObject>, scope?: string): Map<string, BoundTo[]> {
  const index = new Map<string, BoundTo[]>();
  for (const object of bindings) {
    const namespace = object.metadata?.namespace ?? "";
    for (const subject of object.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      const full = scope === "" ? key : `${namespace}|${key}`;
      const list = index.get(full) ?? [];
      list.push({ object, subject: describe(subject, namespace) });
      index.set(full, list);
    }
  }
  return index;
}

const serviceAccountPrefix = "system:serviceaccount:";

function subjectKey(subject: Subject, namespace: string): string {
  if (subject.kind !== "ServiceAccount") return `${subject.kind}:${subject.name}`;
  return `User:${serviceAccountPrefix}${subject.namespace ?? namespace}:${subject.name}`;
}

function describe(subject: Subject, namespace: string): string {
  if (subject.kind !== "ServiceAccount") return `${subject.kind} ${quoted(subject.name)}`;
  return `ServiceAccount ${quoted(`${subject.name}/${subject.namespace ?? namespace}`)}`;
}

function keysOf(user: User): string[] {
  return [`User:${user.name}`, ...user.groups.map((group) => `Group:${group}`)];
}

import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateDnsLabel,
  validateDnsSubdomain,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { checkDnsLabel } from "#apimachinery/validation/names.ts";
import {
  FlowDistinguisherMethod,
  type FlowSchema,
  FlowSchemaSpec,
  type NonResourcePolicyRule,
  type PolicyRulesWithSubjects,
  type ResourcePolicyRule,
  type Subject,
} from "./flow-schema.ts";
import { mandatoryFlowSchemas } from "./mandatory-flow-schemas.ts";

/** Source: pkg/apis/flowcontrol/validation/validation.go. */
const precedenceMax = 10_000;
const methods = ["ByNamespace", "ByUser"];
const subjectKinds = ["Group", "ServiceAccount", "User"];
const verbs = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "proxy",
  "update",
  "watch",
];

export function* validateFlowSchema({ metadata: meta, spec }: FlowSchema): Findings {
  const { name = "" } = meta;
  const mandatory = mandatoryFlowSchemas.get(name);
  if (mandatory !== undefined && !semanticEqual(spec, mandatory)) {
    const value = internalValue(FlowSchemaSpec, spec);
    yield invalid("spec", value, `spec of '${name}' must equal the fixed value`);
  }
  const { matchingPrecedence: precedence, distinguisherMethod: method } = spec;
  const path = "spec.matchingPrecedence";
  if (precedence <= 0) yield invalid(path, precedence, "must be a positive value");
  if (precedence > precedenceMax) {
    yield invalid(path, precedence, `must not be greater than ${precedenceMax}`);
  }
  if (precedence === 1 && name !== "exempt") {
    const detail = "only the schema named 'exempt' may have matchingPrecedence 1";
    yield invalid(path, precedence, detail);
  }
  if (method !== undefined && !methods.includes(method.type)) {
    const value = internalValue(FlowDistinguisherMethod, method);
    yield notSupported("spec.distinguisherMethod.type", value, methods);
  }
  const level = spec.priorityLevelConfiguration.name;
  if (level === "") {
    yield required("spec.priorityLevelConfiguration.name", "must reference a priority level");
  } else {
    yield* validateDnsSubdomain(level, "spec.priorityLevelConfiguration.name");
  }
  for (const [i, rule] of (spec.rules ?? []).entries())
    yield* validateRule(rule, `spec.rules[${i}]`);
}

function* validateRule(rule: PolicyRulesWithSubjects, path: string): Findings {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rule;
  if (subjects.length === 0) {
    yield required(`${path}.subjects`, "subjects must contain at least one value");
  }
  for (const [i, subject] of subjects.entries())
    yield* validateSubject(subject, `${path}.subjects[${i}]`);
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    yield required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  for (const [i, own] of resourceRules.entries()) {
    yield* validateResourceRule(own, `${path}.resourceRules[${i}]`);
  }
  for (const [i, own] of nonResourceRules.entries()) {
    yield* validateNonResourceRule(own, `${path}.nonResourceRules[${i}]`);
  }
}

const subjectFields = { User: "user", Group: "group", ServiceAccount: "serviceAccount" } as const;

function* validateSubject(subject: Subject, path: string): Findings {
  const { kind, user, group, serviceAccount } = subject;
  if (!subjectKinds.includes(kind)) {
    yield notSupported(`${path}.kind`, kind, subjectKinds);
    return;
  }
  const own = subjectFields[kind as keyof typeof subjectFields];
  if (subject[own] === undefined) {
    yield required(`${path}.${own}`, `${own} is required when subject kind is '${kind}'`);
  }
  if (kind === "User" && user?.name === "") yield required(`${path}.user.name`, "");
  if (kind === "Group" && group?.name === "") yield required(`${path}.group.name`, "");
  if (kind === "ServiceAccount" && serviceAccount !== undefined) {
    yield* validateServiceAccount(serviceAccount, `${path}.serviceAccount`);
  }
  for (const [otherKind, field] of Object.entries(subjectFields)) {
    if (field === own || subject[field] === undefined) continue;
    yield forbidden(
      `${path}.${field}`,
      `${field} is forbidden when subject kind is not '${otherKind}'`,
    );
  }
}

function* validateServiceAccount(
  { name, namespace }: NonNullable<Subject["serviceAccount"]>,
  path: string,
): Findings {
  if (name === "") yield required(`${path}.name`, "");
  else if (name !== "*") yield* validateDnsSubdomain(name, `${path}.name`);
  if (namespace === "") {
    yield required(`${path}.namespace`, "must specify namespace for service account");
  } else {
    yield* validateDnsLabel(namespace, `${path}.namespace`);
  }
}

function* validateStar(list: readonly string[], path: string, what: string): Findings {
  if (list.length > 1 && list.includes("*")) {
    yield invalid(path, list, `if '*' is present, must not specify other ${what}`);
  }
}

function* validateVerbs(own: readonly string[], path: string): Findings {
  if (own.length === 0) yield required(path, "verbs must contain at least one value");
  else if (own.includes("*")) yield* validateStar(own, path, "verbs");
  else if (!own.every((verb) => verbs.includes(verb))) yield notSupported(path, own, verbs);
}

function* validateResourceRule(rule: ResourcePolicyRule, path: string): Findings {
  const { apiGroups, resources, namespaces, clusterScope } = rule;
  yield* validateVerbs(rule.verbs, `${path}.verbs`);
  if (apiGroups.length === 0) {
    yield required(`${path}.apiGroups`, "resource rules must supply at least one api group");
  }
  yield* validateStar(apiGroups, `${path}.apiGroups`, "api groups");
  if (resources.length === 0) {
    yield required(`${path}.resources`, "resource rules must supply at least one resource");
  }
  yield* validateStar(resources, `${path}.resources`, "resources");
  if (namespaces.length === 0 && clusterScope !== true) {
    const detail = "resource rules that are not cluster scoped must supply at least one namespace";
    yield required(`${path}.namespaces`, detail);
  }
  yield* validateStar(namespaces, `${path}.namespaces`, "namespaces");
  for (const [i, namespace] of namespaces.entries()) {
    const texts = namespace === "*" ? [] : checkDnsLabel(namespace);
    if (texts.length === 0) continue;
    const detail = `each member of this list must be '*' or a DNS-1123 label; ${texts.join(", ")}`;
    yield invalid(`${path}.namespaces[${i}]`, namespace, detail);
  }
}

function* validateNonResourceRule(
  { verbs: own, nonResourceURLs: urls }: NonResourcePolicyRule,
  path: string,
): Findings {
  yield* validateVerbs(own, `${path}.verbs`);
  const at = `${path}.nonResourceURLs`;
  if (urls.length === 0) {
    yield required(at, "nonResourceURLs must contain at least one value");
  } else if (urls.includes("*")) {
    yield* validateStar(urls, at, "non-resource URLs");
  } else {
    for (const [i, url] of urls.entries()) yield* validateUrl(url, `${at}[${i}]`);
  }
}

function* validateUrl(url: string, path: string): Findings {
  if (url === "") yield invalid(path, url, "must not be empty");
  else if (url === "/") return;
  else if (!url.startsWith("/")) yield invalid(path, url, "must start with slash");
  else if (url.includes(" ")) yield invalid(path, url, "must not contain white-space");
  else if (url.includes("//")) yield invalid(path, url, "must not contain double slash");
  else if (/\*/.test(url) && !/^[^*]*\/\*$/.test(url)) {
    yield invalid(path, url, "wildcard can only do suffix matching");
  }
}

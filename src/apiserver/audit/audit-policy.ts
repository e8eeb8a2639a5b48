import { fitsPath } from "../authorization/path-pattern.ts";
import type { User } from "../call.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { parseYaml } from "#wire/yaml.ts";

const levels = ["None", "Metadata", "Request", "RequestResponse"] as const;
const stages = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;

/** How much of a request is written down. */
export type AuditLevel = (typeof levels)[number];
export type AuditStage = (typeof stages)[number];

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface AuditRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** `audit.k8s.io/v1` Policy. */
export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** Everything, without bodies. */
export const metadataPolicy: AuditPolicy = { rules: [{ level: "Metadata" }] };

/** Errors: a text for people, when it is no policy. */
export function parseAuditPolicy(text: string): AuditPolicy {
  const { value } = parseYaml(Buffer.from(text));
  const policy = value as (Partial<AuditPolicy> & { kind?: string; apiVersion?: string }) | null;
  if (policy?.kind !== "Policy" || policy.apiVersion !== "audit.k8s.io/v1") {
    throw new Error("the audit policy must be a Policy of audit.k8s.io/v1");
  }
  if (!policy.rules?.length) throw new Error("the audit policy has no rules");
  const problems = [...problemsOfStages(policy.omitStages, "omitStages"), ...policy.rules.flatMap(problemsOfRule)];
  if (problems.length > 0) throw new Error(`the audit policy is not valid: ${problems.join("; ")}`);
  const { rules, omitStages, omitManagedFields } = policy;
  return { rules, ...(omitStages && { omitStages }), ...(omitManagedFields !== undefined && { omitManagedFields }) };
}

/** Source: apiserver/pkg/apis/audit/validation. */
function problemsOfRule(rule: AuditRule, at: number): string[] {
  const path = `rules[${at}]`;
  const problems = problemsOfStages(rule.omitStages, `${path}.omitStages`);
  if (!levels.includes(rule.level)) problems.push(`${path}.level: ${JSON.stringify(rule.level)} is not one of ${levels.join(", ")}`);
  const urls = rule.nonResourceURLs ?? [];
  if (urls.length > 0 && ((rule.resources?.length ?? 0) > 0 || (rule.namespaces?.length ?? 0) > 0)) {
    problems.push(`${path}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`);
  }
  for (const url of urls) {
    if (url === "*") continue;
    if (!url.startsWith("/")) problems.push(`${path}.nonResourceURLs: ${JSON.stringify(url)} must begin with '/'`);
    if (url.slice(0, -1).includes("*")) problems.push(`${path}.nonResourceURLs: in ${JSON.stringify(url)} a '*' is not at the end`);
  }
  for (const { resources, resourceNames } of rule.resources ?? []) {
    if ((resourceNames?.length ?? 0) > 0 && !resources?.length) problems.push(`${path}.resources: names need resources`);
  }
  return problems;
}

function problemsOfStages(omitted: readonly AuditStage[] | undefined, path: string): string[] {
  return (omitted ?? []).filter((stage) => !stages.includes(stage)).map((stage) => `${path}: there is no stage ${JSON.stringify(stage)}`);
}

export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
  readonly omitManagedFields: boolean;
}

/** Whether a request of `level` has its body written down, or its answer's too. */
export function reaches(level: AuditLevel, wanted: AuditLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(wanted);
}

/** The first rule that fits decides; none means nothing is written. Source: apiserver/pkg/audit/policy. */
export function decideAudit(policy: AuditPolicy, info: RequestInfo, user: User): AuditDecision {
  const rule = policy.rules.find((candidate) => fits(candidate, info, user));
  return {
    level: rule?.level ?? "None",
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule?.omitStages ?? [])]),
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

function fits(rule: AuditRule, info: RequestInfo, user: User): boolean {
  if (rule.users?.length && !rule.users.includes(user.name)) return false;
  if (rule.userGroups?.length && !rule.userGroups.some((group) => user.groups.includes(group))) return false;
  if (rule.verbs?.length && !rule.verbs.includes(info.verb)) return false;
  if (rule.namespaces?.length || rule.resources?.length) return info.isResource && fitsResource(rule, info);
  if (rule.nonResourceURLs?.length) return !info.isResource && fitsPath(rule.nonResourceURLs, info.path);
  return true;
}

function fitsResource(rule: AuditRule, info: RequestInfo): boolean {
  if (rule.namespaces?.length && !rule.namespaces.includes(info.namespace)) return false;
  if (!rule.resources?.length) return true;
  return rule.resources.some((of) => {
    if ((of.group ?? "") !== info.group) return false;
    if (of.resourceNames?.length && !of.resourceNames.includes(info.name)) return false;
    return !of.resources?.length || of.resources.some((pattern) => fitsName(pattern, info));
  });
}

function fitsName(pattern: string, { resource, subresource }: RequestInfo): boolean {
  const combined = subresource === "" ? resource : `${resource}/${subresource}`;
  if (pattern === "*" || pattern === combined) return true;
  if (pattern.startsWith("*/")) return subresource !== "" && pattern.slice(2) === subresource;
  return pattern.endsWith("/*") && pattern.slice(0, -2) === resource;
}

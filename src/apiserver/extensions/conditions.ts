import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
} from "#api/apiextensions/v1/custom-resource-definition.ts";
import { approvalOf, isProtectedGroup } from "#api/apiextensions/v1/api-approval.ts";
import type { Finding } from "./naming.ts";

export function findCondition(
  { status }: CustomResourceDefinition,
  type: string,
): CustomResourceDefinitionCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(crd: CustomResourceDefinition, type: string): boolean {
  return findCondition(crd, type)?.status === "True";
}

/** A copy with a condition set; its time changes with its status only. `time` is RFC 3339. */
export function withCondition(crd: CustomResourceDefinition, finding: Finding, time: string): CustomResourceDefinition {
  const before = findCondition(crd, finding.type);
  if (before !== undefined && isSame(before, finding)) return crd;
  const lastTransitionTime =
    before !== undefined && before.status === finding.status ? before.lastTransitionTime : time;
  const condition = { ...finding, lastTransitionTime };
  const conditions = crd.status?.conditions ?? [];
  const changed =
    before === undefined
      ? [...conditions, condition]
      : conditions.map((one) => (one.type === finding.type ? condition : one));
  return withStatus(crd, { conditions: changed });
}

export function withoutCondition(crd: CustomResourceDefinition, type: string): CustomResourceDefinition {
  if (findCondition(crd, type) === undefined) return crd;
  const conditions = (crd.status?.conditions ?? []).filter((one) => one.type !== type);
  return withStatus(crd, { conditions });
}

export function withStatus(
  crd: CustomResourceDefinition,
  status: Partial<NonNullable<CustomResourceDefinition["status"]>>,
): CustomResourceDefinition {
  const empty = { conditions: [], acceptedNames: { plural: "", kind: "" }, storedVersions: [] };
  return { ...crd, status: { ...empty, ...crd.status, ...status } };
}

function isSame(a: Finding, b: Finding): boolean {
  return a.status === b.status && a.reason === b.reason && a.message === b.message;
}

/** Undefined for groups that anyone may use. */
export function approvalFinding(crd: CustomResourceDefinition): Finding | undefined {
  if (!isProtectedGroup(crd.spec.group)) return undefined;
  return { type: "KubernetesAPIApprovalPolicyConformant", ...approvalOf(crd.metadata.annotations) };
}

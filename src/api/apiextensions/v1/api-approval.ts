import { getOwn } from "#apimachinery/maps.ts";

export const approvalAnnotation = "api-approved.kubernetes.io";

/** Groups that belong to the Kubernetes community. */
export function isProtectedGroup(group: string): boolean {
  return /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group);
}

interface Approval {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** Source: apiextensions-apiserver pkg/apihelpers GetAPIApprovalState. */
export function approvalOf(annotations: Readonly<Record<string, string>> | undefined): Approval {
  const value = getOwn(annotations, approvalAnnotation) ?? "";
  if (value === "") {
    return {
      status: "False",
      reason: "MissingAnnotation",
      message:
        `protected groups must have approval annotation "${approvalAnnotation}", ` +
        "see https://github.com/kubernetes/enhancements/pull/1111",
    };
  }
  if (value.startsWith("unapproved")) {
    return {
      status: "False",
      reason: "UnapprovedAnnotation",
      message: `not approved: ${JSON.stringify(value)}`,
    };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+/i.test(value)) {
    return { status: "True", reason: "ApprovedAnnotation", message: `approved in ${value}` };
  }
  return {
    status: "False",
    reason: "InvalidAnnotation",
    message:
      `protected groups must have approval annotation "${approvalAnnotation}" with either a URL or a ` +
      `reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
  };
}

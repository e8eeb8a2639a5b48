import { defineLibrary } from "../declaration.ts";
import { objectType, type CelType } from "../types.ts";
import { CelError, CelOpaque, type CelValue } from "../value.ts";
import { dns1123LabelErrors, dns1123SubdomainErrors } from "./named-format.ts";

export const authorizerType: CelType = objectType("kubernetes.authorization.Authorizer");
export const pathCheckType: CelType = objectType("kubernetes.authorization.PathCheck");
export const groupCheckType: CelType = objectType("kubernetes.authorization.GroupCheck");
export const resourceCheckType: CelType = objectType("kubernetes.authorization.ResourceCheck");
export const decisionType: CelType = objectType("kubernetes.authorization.Decision");

/** What an expression asks about. */
export type AccessCheck =
  | {
      readonly kind: "path";
      readonly path: string;
      readonly verb: string;
      readonly user: CheckedUser;
    }
  | ({
      readonly kind: "resource";
      readonly verb: string;
      readonly user: CheckedUser;
    } & ResourceAttributes);

export interface ResourceAttributes {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** As written; empty when not given. */
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

/** The user of the request, or a service account the expression names. */
export type CheckedUser =
  | { readonly kind: "request" }
  | { readonly kind: "serviceAccount"; readonly namespace: string; readonly name: string };

export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason: string;
  /** What the authorizer failed with; undefined when it decided. */
  readonly error?: string | undefined;
}

/**
 * Decides at once. One that must wait throws something of its own, which ends the evaluation; with
 * the decision at hand the expression is evaluated anew.
 */
export type Authorize = (check: AccessCheck) => AccessDecision;

const requestUser: CheckedUser = { kind: "request" };

abstract class AuthorizationValue extends CelOpaque {
  /** Upstream compares these by identity. */
  equals(other: CelValue): boolean {
    return other === this;
  }
}

class AuthorizerValue extends AuthorizationValue {
  readonly authorize: Authorize;
  readonly user: CheckedUser;

  constructor(authorize: Authorize, user: CheckedUser) {
    super();
    this.authorize = authorize;
    this.user = user;
  }

  get type(): CelType {
    return authorizerType;
  }
}

class PathCheckValue extends AuthorizationValue {
  readonly authorizer: AuthorizerValue;
  readonly path: string;

  constructor(authorizer: AuthorizerValue, path: string) {
    super();
    this.authorizer = authorizer;
    this.path = path;
  }

  get type(): CelType {
    return pathCheckType;
  }
}

class GroupCheckValue extends AuthorizationValue {
  readonly authorizer: AuthorizerValue;
  readonly group: string;

  constructor(authorizer: AuthorizerValue, group: string) {
    super();
    this.authorizer = authorizer;
    this.group = group;
  }

  get type(): CelType {
    return groupCheckType;
  }
}

class ResourceCheckValue extends AuthorizationValue {
  readonly authorizer: AuthorizerValue;
  readonly attributes: ResourceAttributes;

  constructor(authorizer: AuthorizerValue, attributes: ResourceAttributes) {
    super();
    this.authorizer = authorizer;
    this.attributes = attributes;
  }

  get type(): CelType {
    return resourceCheckType;
  }

  with(changed: Partial<ResourceAttributes>): ResourceCheckValue {
    return new ResourceCheckValue(this.authorizer, { ...this.attributes, ...changed });
  }
}

class DecisionValue extends AuthorizationValue {
  readonly decision: AccessDecision;

  constructor(decision: AccessDecision) {
    super();
    this.decision = decision;
  }

  get type(): CelType {
    return decisionType;
  }
}

/** The value of variable `authorizer`. */
export function authorizerValue(authorize: Authorize): CelValue {
  return new AuthorizerValue(authorize, requestUser);
}

/** The value of variable `authorizer.requestResource`. */
export function requestResourceValue(
  authorize: Authorize,
  attributes: ResourceAttributes,
): CelValue {
  return new ResourceCheckValue(new AuthorizerValue(authorize, requestUser), attributes);
}

function path(authorizer: AuthorizerValue, text: string): PathCheckValue {
  if (text.trim() === "") throw new CelError("path must not be empty");
  return new PathCheckValue(authorizer, text);
}

function serviceAccount(
  authorizer: AuthorizerValue,
  namespace: string,
  name: string,
): AuthorizerValue {
  if (dns1123SubdomainErrors(name).length > 0) throw new CelError("Invalid service account name");
  if (dns1123LabelErrors(namespace).length > 0) {
    throw new CelError("Invalid service account namespace");
  }
  return new AuthorizerValue(authorizer.authorize, { kind: "serviceAccount", namespace, name });
}

function resource({ authorizer, group }: GroupCheckValue, text: string): ResourceCheckValue {
  if (text.trim() === "") throw new CelError("resource must not be empty");
  const rest = { subresource: "", namespace: "", name: "", fieldSelector: "", labelSelector: "" };
  return new ResourceCheckValue(authorizer, { group, resource: text, ...rest });
}

function checkPath({ authorizer, path: text }: PathCheckValue, verb: string): DecisionValue {
  const { authorize, user } = authorizer;
  return new DecisionValue(authorize({ kind: "path", path: text, verb, user }));
}

function checkResource(
  { authorizer, attributes }: ResourceCheckValue,
  verb: string,
): DecisionValue {
  const { authorize, user } = authorizer;
  return new DecisionValue(authorize({ kind: "resource", verb, user, ...attributes }));
}

function attribute(name: keyof ResourceAttributes) {
  return (check: ResourceCheckValue, text: string): ResourceCheckValue =>
    check.with({ [name]: text });
}

const ns = "kubernetes.authorization";
const toResourceCheck = `(string) -> ${ns}.ResourceCheck`;

/** Source: pkg/cel/library/authz.go. */
export const authorizerLibrary = defineLibrary({
  name: "kubernetes.authz",
  types: [authorizerType, pathCheckType, groupCheckType, resourceCheckType, decisionType],
  rows: [
    ["authorizer_path", `(${ns}.Authorizer).path(string) -> ${ns}.PathCheck`, path],
    [
      "authorizer_group",
      `(${ns}.Authorizer).group(string) -> ${ns}.GroupCheck`,
      (authorizer: AuthorizerValue, group: string) => new GroupCheckValue(authorizer, group),
    ],
    [
      "authorizer_serviceaccount",
      `(${ns}.Authorizer).serviceAccount(string, string) -> ${ns}.Authorizer`,
      serviceAccount,
    ],
    ["groupcheck_resource", `(${ns}.GroupCheck).resource${toResourceCheck}`, resource],
    [
      "resourcecheck_subresource",
      `(${ns}.ResourceCheck).subresource${toResourceCheck}`,
      attribute("subresource"),
    ],
    [
      "resourcecheck_namespace",
      `(${ns}.ResourceCheck).namespace${toResourceCheck}`,
      attribute("namespace"),
    ],
    ["resourcecheck_name", `(${ns}.ResourceCheck).name${toResourceCheck}`, attribute("name")],
    [
      "authorizer_fieldselector",
      `(${ns}.ResourceCheck).fieldSelector${toResourceCheck}`,
      attribute("fieldSelector"),
    ],
    [
      "authorizer_labelselector",
      `(${ns}.ResourceCheck).labelSelector${toResourceCheck}`,
      attribute("labelSelector"),
    ],
    ["pathcheck_check", `(${ns}.PathCheck).check(string) -> ${ns}.Decision`, checkPath],
    ["resourcecheck_check", `(${ns}.ResourceCheck).check(string) -> ${ns}.Decision`, checkResource],
    [
      "decision_errored",
      `(${ns}.Decision).errored() -> bool`,
      (d: DecisionValue) => d.decision.error !== undefined,
    ],
    [
      "decision_error",
      `(${ns}.Decision).error() -> string`,
      (d: DecisionValue) => d.decision.error ?? "",
    ],
    [
      "decision_allowed",
      `(${ns}.Decision).allowed() -> bool`,
      (d: DecisionValue) => d.decision.allowed,
    ],
    [
      "decision_reason",
      `(${ns}.Decision).reason() -> string`,
      (d: DecisionValue) => d.decision.reason,
    ],
  ],
});

import type { GroupVersionKind, KubeObject } from "#apimachinery/object.ts";
import { apiVersionOf } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import {
  forbiddenStatus,
  isForbidden,
  type Qualified,
  type StatusError,
} from "#apimachinery/status.ts";
import type { Call, Endpoint } from "../call.ts";
import { isDryRun } from "../call.ts";
import { fromHub } from "../rest/rest.ts";
import { codecOf } from "../storage/codec.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** What an admission plugin is asked about. Objects are in the kind's storage version. */
export interface AdmissionRequest {
  readonly operation: Operation;
  readonly call: Call;
  readonly endpoint: Endpoint;
  /** Definition of the resource in its storage version. */
  readonly definition: ResourceDefinition;
  /** "" while a generated name is not there yet, and for each object of a deletecollection. */
  readonly name: string;
  /**
   * Kind of the object in hand where it is not the resource's own: a Scale, a Binding, the options
   * of a CONNECT. Such objects have one version.
   */
  readonly kind?: GroupVersionKind;
  /** The new object; absent for DELETE. Never changed in place: a mutator returns another. */
  readonly object?: KubeObject;
  /** The stored object; frozen. Absent for CREATE and CONNECT. */
  readonly oldObject?: KubeObject;
  /** What the passes of one request share. */
  readonly passes?: Passes;
}

/**
 * The mutators run a second time when one of them asked for it, since what an early one decided may
 * not fit what a late one changed. Source: apiserver/pkg/admission/reinvocation.go.
 */
export interface Passes {
  /** True in the second pass. */
  again: boolean;
  /** Set by a mutator that wants the second pass. */
  wanted: boolean;
  /** What plugins remember from the first pass, by plugin name. */
  readonly memory: Map<string, unknown>;
}

/** Namespaces count as lying inside themselves. */
export function namespaceOf({
  definition,
  call,
  name,
  object,
  oldObject,
}: AdmissionRequest): string {
  if (!isNamespaceKind(definition)) return call.namespace;
  return name || object?.metadata?.name || oldObject?.metadata?.name || "";
}

export function isNamespaceKind({ group, plural }: ResourceDefinition): boolean {
  return group === "" && plural === "namespaces";
}

/** Resource as the client named it, with its group. */
export function qualifiedOf({ call }: AdmissionRequest): Qualified {
  return { group: call.definition.group, resource: call.definition.plural };
}

/** Kind of the object as the client sees it. */
export function requestKind({ kind, call }: AdmissionRequest): GroupVersionKind {
  if (kind !== undefined) return kind;
  const { group, version, kind: name } = call.definition;
  return { group, version, kind: name };
}

/** Name for errors; upstream's `Unknown` where there is none. */
export function nameForErrors({ name, object }: AdmissionRequest): string {
  if (name !== "") return name;
  if (object === undefined) return "Unknown";
  if (object.metadata === undefined) return "Unknown/errorGettingName";
  return object.metadata.name || object.metadata.generateName || "Unknown";
}

/**
 * `pods "a" is forbidden: why`; a Forbidden is passed on as it is. Source: admission.NewForbidden.
 */
export function forbid(request: AdmissionRequest, why: string | Error): StatusError {
  if (typeof why !== "string" && isForbidden(why)) return why as StatusError;
  const text = typeof why === "string" ? why : why.message;
  return forbiddenStatus(qualifiedOf(request), nameForErrors(request), text);
}

/** Whether the request is about a resource itself, or one of its subresources. */
export function isAbout(
  request: AdmissionRequest,
  group: string,
  plural: string,
  subresource = "",
): boolean {
  const { definition, call } = request;
  return (
    definition.group === group && definition.plural === plural && call.subresource === subresource
  );
}

/**
 * An object of the request as JSON in the version of `definition`, exactly as it is on the wire.
 */
export function wireObject(
  request: AdmissionRequest,
  object: KubeObject | undefined,
  definition: ResourceDefinition,
): KubeObject | null {
  if (object === undefined) return null;
  if (request.kind !== undefined) return object;
  const versioned = fromHub({ ...request.endpoint, definition }, object);
  return JSON.parse(
    Buffer.from(codecOf(definition).encode(versioned)).toString("utf8"),
  ) as KubeObject;
}

const optionKinds = {
  CREATE: "CreateOptions",
  UPDATE: "UpdateOptions",
  DELETE: "DeleteOptions",
} as const;

/** The request's options as `AdmissionReview` carries them; null for CONNECT. */
export function operationOptions(request: AdmissionRequest): object | null {
  const { operation, call } = request;
  if (operation === "CONNECT") return null;
  const { options } = call;
  const head = {
    kind: optionKinds[operation],
    apiVersion: "meta.k8s.io/v1",
    ...(isDryRun(call) && { dryRun: ["All"] }),
  };
  if (operation !== "DELETE") {
    return {
      ...head,
      ...(options.fieldManager && { fieldManager: options.fieldManager }),
      ...(options.fieldValidation && { fieldValidation: options.fieldValidation }),
    };
  }
  return {
    ...head,
    ...(options.gracePeriodSeconds !== undefined && {
      gracePeriodSeconds: options.gracePeriodSeconds,
    }),
    ...(options.orphanDependents !== undefined && { orphanDependents: options.orphanDependents }),
    ...(options.propagationPolicy !== undefined && {
      propagationPolicy: options.propagationPolicy,
    }),
  };
}

/** The version of an endpoint as `group/version`. */
export function versionOf({ group, version }: ResourceDefinition): string {
  return apiVersionOf(group, version);
}

import { errorMessage } from "#base/error-message.ts";
import {
  type FieldError,
  fieldErrorBody,
  fieldErrorsText,
} from "./field-error.ts";
import type { GroupKind } from "./object.ts";

/**
 * API errors: the only errors that clients see. One table of reasons, constructors with upstream's
 * texts, predicates to read them. Source: k8s.io/apimachinery/pkg/api/errors/errors.go.
 */
export interface StatusCause {
  reason?: string | undefined;
  message?: string | undefined;
  field?: string | undefined;
}

export interface StatusDetails {
  name?: string | undefined;
  group?: string | undefined;
  kind?: string | undefined;
  uid?: string | undefined;
  causes?: StatusCause[] | undefined;
  retryAfterSeconds?: number | undefined;
}

export interface Status {
  kind?: string | undefined;
  apiVersion?: string | undefined;
  metadata?: Record<string, never> | object | undefined;
  status?: string | undefined;
  message?: string | undefined;
  reason?: string | undefined;
  details?: StatusDetails | undefined;
  code?: number | undefined;
}

export const reasons = {
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Invalid: 422,
  ServerTimeout: 500,
  StorageReadError: 500,
  Timeout: 504,
  TooManyRequests: 429,
  BadRequest: 400,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  InternalError: 500,
  Expired: 410,
  ServiceUnavailable: 503,
} as const;

export type StatusReason = keyof typeof reasons;

export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly status: Status;
  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? "", options);
    this.status = status;
  }
}

interface FailureSpec {
  readonly message: string;
  readonly details?: StatusDetails;
  readonly code?: number;
  readonly cause?: unknown;
}

/** A failure Status; an empty reason is upstream's "unknown" (a plain Go error, code 500). */
export function failure(reason: StatusReason | "", spec: FailureSpec): StatusError {
  const code = spec.code ?? (reason === "" ? 500 : reasons[reason]);
  return new StatusError(
    {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: spec.message,
      ...(reason !== "" && { reason }),
      ...(spec.details && { details: spec.details }),
      code,
    },
    { cause: spec.cause },
  );
}

/** What an error names: the resource (plural) or kind, in upstream's `details`. */
export interface Qualified {
  readonly group: string;
  /** Plural resource name, or a kind where upstream has only that. */
  readonly resource: string;
}

function qualified({ group, resource }: Qualified): string {
  return group === "" ? resource : `${resource}.${group}`;
}

function about(of: Qualified, name: string): StatusDetails {
  return {
    ...(name !== "" && { name }),
    ...(of.group !== "" && { group: of.group }),
    ...(of.resource !== "" && { kind: of.resource }),
  };
}

export function notFound(of: Qualified, name: string): StatusError {
  return failure("NotFound", { message: `${qualified(of)} ${quote(name)} not found`, details: about(of, name) });
}

export function alreadyExists(of: Qualified, name: string): StatusError {
  return failure("AlreadyExists", {
    message: `${qualified(of)} ${quote(name)} already exists`,
    details: about(of, name),
  });
}

export function conflict(of: Qualified, name: string, why: string): StatusError {
  return failure("Conflict", {
    message: `Operation cannot be fulfilled on ${qualified(of)} ${quote(name)}: ${why}`,
    details: about(of, name),
  });
}

export const modifiedMessage =
  "the object has been modified; please apply your changes to the latest version and try again";

export function forbiddenStatus(of: Qualified, name: string, why: string): StatusError {
  const message = name === ""
    ? `${qualified(of)} is forbidden: ${why}`
    : `${qualified(of)} ${quote(name)} is forbidden: ${why}`;
  return failure("Forbidden", {
    message: of.resource === "" ? `forbidden: ${why}` : message,
    details: about(of, name),
  });
}

/** 422 with one cause for each error; the texts are aggregated as upstream does. */
export function invalidStatus(of: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const causes = errors.map((error) => ({
    reason: error.type,
    message: fieldErrorBody(error),
    field: error.field,
  }));
  const kindName = of.group === "" ? of.kind : `${of.kind}.${of.group}`;
  const texts = errors.length > 0 ? `: ${fieldErrorsText(errors)}` : "";
  return failure("Invalid", {
    message: `${kindName} ${quote(name)} is invalid${texts}`,
    details: {
      ...(name !== "" && { name }),
      ...(of.group !== "" && { group: of.group }),
      ...(of.kind !== "" && { kind: of.kind }),
      ...(causes.length > 0 && { causes }),
    },
  });
}

export function badRequest(message: string): StatusError {
  return failure("BadRequest", { message });
}

export function unauthorized(message = "Unauthorized"): StatusError {
  return failure("Unauthorized", { message });
}

export function internal(message: string, cause?: unknown): StatusError {
  return failure("InternalError", {
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ message }] },
    cause,
  });
}

/** A plain Go error that reached the handler: 500 without a reason. */
export function plainError(message: string): StatusError {
  return failure("", { message });
}

export function gone(message: string): StatusError {
  return failure("Gone", { message });
}

export function expired(message: string): StatusError {
  return failure("Expired", { message });
}

export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return failure("Timeout", {
    message: `Timeout: ${message}`,
    details: retryAfterSeconds > 0 ? { retryAfterSeconds } : {},
  });
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return failure("TooManyRequests", { message, details: { retryAfterSeconds } });
}

export function serviceUnavailable(message: string): StatusError {
  return failure("ServiceUnavailable", { message });
}

export function methodNotSupported(of: Qualified, verb: string): StatusError {
  return failure("MethodNotAllowed", {
    message: `${verb} is not supported on resources of kind ${quote(qualified(of))}`,
    details: about(of, ""),
  });
}

export function requestEntityTooLarge(message: string): StatusError {
  return failure("RequestEntityTooLarge", { message: `Request entity too large: ${message}` });
}

/** The answer for a path or resource that is not served. */
export function unknownResource(): StatusError {
  return failure("NotFound", {
    message: "the server could not find the requested resource",
    details: {},
  });
}

export function methodNotAllowed(): StatusError {
  return failure("MethodNotAllowed", {
    message: "the server does not allow this method on the requested resource",
    details: {},
  });
}

export function isStatusError(error: unknown): error is StatusError {
  return error instanceof StatusError;
}

export function reasonOf(error: unknown): string | undefined {
  return isStatusError(error) ? (error.status.reason ?? "") : undefined;
}

export function isNotFound(error: unknown): boolean {
  return reasonOf(error) === "NotFound";
}

export function isAlreadyExists(error: unknown): boolean {
  return reasonOf(error) === "AlreadyExists";
}

/** What a call answers; undefined when it fails with NotFound. */
export function ignoreNotFound<T>(call: Promise<T>): Promise<T | undefined> {
  return ignoring(call, isNotFound);
}

/** What a call answers; undefined when it fails with AlreadyExists. */
export function ignoreAlreadyExists<T>(call: Promise<T>): Promise<T | undefined> {
  return ignoring(call, isAlreadyExists);
}

async function ignoring<T>(call: Promise<T>, expected: (error: unknown) => boolean): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (expected(error)) return undefined;
    throw error;
  }
}

export function isConflict(error: unknown): boolean {
  return reasonOf(error) === "Conflict";
}

export function isInvalid(error: unknown): boolean {
  return reasonOf(error) === "Invalid";
}

export function isForbidden(error: unknown): boolean {
  return reasonOf(error) === "Forbidden";
}

/** A watch or list position that is gone: relist. */
export function isExpired(error: unknown): boolean {
  const reason = reasonOf(error);
  return reason === "Expired" || reason === "Gone";
}

/** An answer from the server with another code than a Status carries is made one with this. */
export function statusErrorOf(error: unknown): StatusError {
  if (isStatusError(error)) return error;
  return internal(errorMessage(error), error);
}

/** Go's `%q`. */
function quote(name: string): string {
  return JSON.stringify(name).replace(/\\u00([01][0-9a-f])/g, "\\x$1");
}

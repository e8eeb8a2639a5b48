import { type FieldError, notSupported, required, forbidden } from "#apimachinery/field-error.ts";
import { parseDuration } from "#apimachinery/go-duration.ts";
import { badRequest, invalidStatus } from "#apimachinery/status.ts";
import { validateFieldManager } from "#apimachinery/validation/object-meta.ts";
import type { PatchType } from "#client/transport.ts";
import type { CallOptions } from "../call.ts";
import type { RequestInfo } from "./request-info.ts";

/**
 * Query parameters of each verb, parsed and validated as upstream's `*Options` are.
 * Errors: BadRequest for malformed numbers, Invalid for values that are not allowed.
 */
export function writeOptions(query: URLSearchParams, optionsKind: string, patch?: PatchType): CallOptions {
  const errors: FieldError[] = [];
  const fieldManager = query.get("fieldManager") ?? "";
  const fieldValidation = query.get("fieldValidation") ?? "";
  const dryRun = query.getAll("dryRun");
  const force = query.get("force");
  if (patch === "apply" && fieldManager === "") {
    errors.push(required("fieldManager", "is required for apply patch"));
  }
  if (patch !== undefined && patch !== "apply" && force !== null) {
    errors.push(forbidden("force", "may not be specified for non-apply patch"));
  }
  errors.push(...validateFieldManager(fieldManager, "fieldManager"));
  if (dryRun.some((value) => value !== "All")) {
    errors.push(notSupported("dryRun", dryRun, ["All"]));
  }
  if (!validations.includes(fieldValidation)) {
    errors.push(notSupported("fieldValidation", fieldValidation, validations));
  }
  if (errors.length > 0) throw invalidStatus({ group: "meta.k8s.io", kind: optionsKind }, "", errors);
  return {
    ...(dryRun.length > 0 && { dryRun: true }),
    ...(fieldManager !== "" && { fieldManager }),
    ...(fieldValidation !== "" && { fieldValidation: fieldValidation as "Warn" }),
    ...(force !== null && { force: isTrue(force) }),
  };
}

const validations = ["", "Ignore", "Strict", "Warn"];

export function getOptions(query: URLSearchParams): CallOptions {
  const resourceVersion = query.get("resourceVersion") ?? "";
  return resourceVersion === "" ? {} : { resourceVersion };
}

export function listOptions(query: URLSearchParams): CallOptions {
  const text = (name: string): string => query.get(name) ?? "";
  const match = text("resourceVersionMatch");
  const limit = integer(query, "limit");
  const timeoutSeconds = integer(query, "timeoutSeconds");
  const sendInitialEvents = query.get("sendInitialEvents");
  return {
    ...(text("labelSelector") !== "" && { labelSelector: text("labelSelector") }),
    ...(text("fieldSelector") !== "" && { fieldSelector: text("fieldSelector") }),
    ...(limit !== undefined && limit > 0 && { limit }),
    ...(text("continue") !== "" && { continue: text("continue") }),
    ...(text("resourceVersion") !== "" && { resourceVersion: text("resourceVersion") }),
    ...(match !== "" && { resourceVersionMatch: match as "Exact" }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(isTrue(text("allowWatchBookmarks")) && { allowWatchBookmarks: true }),
    ...(sendInitialEvents !== null &&
      sendInitialEvents !== "" && { sendInitialEvents: isTrue(sendInitialEvents) }),
  };
}

export function deleteOptions(query: URLSearchParams): CallOptions {
  const gracePeriodSeconds = integer(query, "gracePeriodSeconds");
  const orphan = query.get("orphanDependents");
  const unsafe = query.get("ignoreStoreReadErrorWithClusterBreakingPotential");
  const propagationPolicy = query.get("propagationPolicy");
  const dryRun = query.getAll("dryRun");
  if (dryRun.some((value) => value !== "All")) {
    throw invalidStatus({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", [
      notSupported("dryRun", dryRun, ["All"]),
    ]);
  }
  const uid = query.get("uid") ?? "";
  const resourceVersion = query.get("resourceVersion") ?? "";
  const preconditions = { ...(uid !== "" && { uid }), ...(resourceVersion !== "" && { resourceVersion }) };
  return {
    ...(dryRun.length > 0 && { dryRun: true }),
    ...(Object.keys(preconditions).length > 0 && { preconditions }),
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(orphan !== null && { orphanDependents: isTrue(orphan) }),
    ...(unsafe !== null && { ignoreStoreReadError: isTrue(unsafe) }),
    ...(propagationPolicy !== null && { propagationPolicy }),
  };
}

/** Go's conversion: only `false` and `0` are false. */
function isTrue(text: string): boolean {
  return text !== "" && text.toLowerCase() !== "false" && text !== "0";
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[-+]?\d+$/.test(text)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const number = Number(text);
  if (BigInt(text) !== BigInt.asIntN(64, BigInt(text))) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return number;
}

/** Errors: BadRequest. Source: apiserver/pkg/endpoints/filters/request_deadline.go. */
export function refuseBadTimeout(info: Pick<RequestInfo, "verb" | "isResource" | "subresource">, query: URLSearchParams): void {
  const text = query.get("timeout") ?? "";
  if (text === "" || isLongRunning(info)) return;
  try {
    parseDuration(text);
  } catch {
    throw badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`,
    );
  }
}

const longRunningSubresources = new Set(["attach", "exec", "proxy", "log", "portforward"]);

/** Requests that may last: no deadline, and not counted among those in flight. */
export function isLongRunning({ verb, isResource, subresource }: Pick<RequestInfo, "verb" | "isResource" | "subresource">): boolean {
  if (!isResource) return false;
  return verb === "watch" || verb === "proxy" || longRunningSubresources.has(subresource);
}

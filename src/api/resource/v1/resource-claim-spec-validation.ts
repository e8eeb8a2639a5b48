import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooMany,
} from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateDnsLabel,
  validateDnsSubdomain,
  validateLabelName,
} from "#apimachinery/validation/checks.ts";
import {
  validateConfiguration,
  validateQualifiedAttribute,
  validateSelectors,
  validateUnique,
} from "./device-validation.ts";
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from "./resource-claim-spec.ts";

/** Source: validateResourceClaimSpec in pkg/apis/resource/validation. */
const requestsMax = 32;
const constraintsMax = 32;
const configMax = 32;
const firstAvailableMax = 8;
const tolerationsMax = 16;
const requestText =
  "must be the name of a request in the claim or the name of a request and a subrequest " +
  "separated by '/'";

/** One device is asked for, unless all are. Also for templates. */
export function defaultClaimDevices({ devices }: ResourceClaimSpec): void {
  for (const { exactly, firstAvailable = [] } of devices.requests) {
    for (const request of [...(exactly === undefined ? [] : [exactly]), ...firstAvailable]) {
      request.allocationMode ||= "ExactCount";
      if (request.allocationMode === "ExactCount") request.count ||= 1;
      for (const toleration of request.tolerations ?? []) toleration.operator ||= "Equal";
    }
  }
}

/** Names that results, constraints and configuration may give. */
export function requestNames({ requests }: DeviceClaim): Set<string> {
  return new Set(
    requests.flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((sub) => `${name}/${sub.name}`),
    ]),
  );
}

export function* validateRequestName(
  name: string,
  path: string,
  names: ReadonlySet<string>,
): Findings {
  if (!names.has(name)) yield invalid(path, name, requestText);
}

export function* validateClaimSpec({ devices }: ResourceClaimSpec, path: string): Findings {
  const at = `${path}.devices`;
  const { requests, constraints = [], config = [] } = devices;
  const names = requestNames(devices);
  if (requests.length > requestsMax) yield tooMany(`${at}.requests`, requests.length, requestsMax);
  else {
    const repeated: FieldError[] = [];
    for (const [i, request] of requests.entries()) {
      yield* validateRequest(request, `${at}.requests[${i}]`);
      const isRepeated = requests.slice(0, i).some(({ name }) => name === request.name);
      if (isRepeated) repeated.push(duplicate(`${at}.requests[${i}]`, request.name));
    }
    yield* repeated;
  }
  if (constraints.length > constraintsMax) {
    yield tooMany(`${at}.constraints`, constraints.length, constraintsMax);
  }
  for (const [i, constraint] of constraints.entries()) {
    yield* validateConstraint(constraint, `${at}.constraints[${i}]`, names);
  }
  if (config.length > configMax) yield tooMany(`${at}.config`, config.length, configMax);
  for (const [i, entry] of config.entries()) {
    yield* validateRequests(entry.requests ?? [], `${at}.config[${i}].requests`, names);
    yield* validateConfiguration(entry, `${at}.config[${i}]`);
  }
}

function* validateRequests(
  own: readonly string[],
  path: string,
  names: ReadonlySet<string>,
): Findings {
  for (const [i, name] of own.entries()) yield* validateRequestName(name, `${path}[${i}]`, names);
  yield* validateUnique(own, path);
}

const armsText = "exactly one of `exactly` or `firstAvailable` is required";

function* validateRequest(
  { name, exactly, firstAvailable = [] }: DeviceRequest,
  path: string,
): Findings {
  yield* validateDnsLabel(name, `${path}.name`);
  if (exactly === undefined && firstAvailable.length === 0) yield required(path, armsText);
  else if (exactly !== undefined && firstAvailable.length > 0) {
    yield invalid(path, null, `${armsText}, but multiple fields are set`);
  } else if (exactly !== undefined) {
    yield* validateExact(exactly, `${path}.exactly`);
  } else if (firstAvailable.length > firstAvailableMax) {
    yield tooMany(`${path}.firstAvailable`, firstAvailable.length, firstAvailableMax);
  } else {
    for (const [i, sub] of firstAvailable.entries()) {
      const at = `${path}.firstAvailable[${i}]`;
      yield* validateDnsLabel(sub.name, `${at}.name`);
      yield* validateExact(sub, at);
      const isRepeated = firstAvailable.slice(0, i).some((other) => other.name === sub.name);
      if (isRepeated) yield duplicate(at, sub.name);
    }
  }
}

type Exact = Pick<
  ExactDeviceRequest & DeviceSubRequest,
  keyof ExactDeviceRequest & keyof DeviceSubRequest
>;

function* validateExact(request: Exact, path: string): Findings {
  const { deviceClassName, allocationMode, count = 0, tolerations = [] } = request;
  if (deviceClassName === "") yield required(`${path}.deviceClassName`, "");
  else yield* validateDnsSubdomain(deviceClassName, `${path}.deviceClassName`);
  yield* validateSelectors(request.selectors, `${path}.selectors`);
  if (allocationMode === "All") {
    if (count !== 0) {
      yield invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'");
    }
  } else if (allocationMode === "ExactCount") {
    if (count <= 0) yield invalid(`${path}.count`, count, "must be greater than zero");
  } else {
    yield notSupported(`${path}.allocationMode`, allocationMode, ["All", "ExactCount"]);
  }
  if (tolerations.length > tolerationsMax) {
    yield tooMany(`${path}.tolerations`, tolerations.length, tolerationsMax);
  }
  for (const [i, toleration] of tolerations.entries()) {
    yield* validateToleration(toleration, `${path}.tolerations[${i}]`);
  }
}

export const taintEffects = ["NoExecute", "NoSchedule", "None"];

function* validateToleration(toleration: DeviceToleration, path: string): Findings {
  const { key = "", operator = "", value = "", effect = "" } = toleration;
  if (key !== "") yield* validateLabelName(key, `${path}.key`);
  if (operator === "Exists") {
    if (value !== "") yield invalid(`${path}.value`, value, "must be empty for operator `Exists`");
  } else if (operator === "") yield required(`${path}.operator`, "");
  else if (operator !== "Equal")
    yield notSupported(`${path}.operator`, operator, ["Equal", "Exists"]);
  if (effect !== "" && !taintEffects.includes(effect)) {
    yield notSupported(`${path}.effect`, effect, taintEffects);
  }
}

function* validateConstraint(
  { requests = [], matchAttribute, distinctAttribute }: DeviceConstraint,
  path: string,
  names: ReadonlySet<string>,
): Findings {
  yield* validateRequests(requests, `${path}.requests`, names);
  const needsDomain = true;
  if (matchAttribute !== undefined && distinctAttribute === undefined) {
    yield* validateQualifiedAttribute(matchAttribute, `${path}.matchAttribute`, { needsDomain });
  } else if (distinctAttribute !== undefined && matchAttribute === undefined) {
    yield* validateQualifiedAttribute(distinctAttribute, `${path}.distinctAttribute`, {
      needsDomain,
    });
  } else {
    const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required';
    yield required(path, `${detail}, but multiple fields are set`);
  }
}

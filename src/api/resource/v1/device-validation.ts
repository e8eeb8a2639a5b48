import { compileDeviceSelector } from "#apimachinery/cel/device-selector.ts";
import { selectorCostMax } from "#apimachinery/cel/limits.ts";
import {
  duplicate,
  forbidden,
  invalid,
  required,
  tooLong,
  tooMany,
} from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsSubdomain,
} from "#apimachinery/validation/checks.ts";
import { checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import type { DeviceConfiguration, DeviceSelector } from "./device-selector.ts";

/**
 * What classes, claims and slices share.
 * Source: pkg/apis/resource/validation/validation.go.
 */
const selectorsMax = 32;
const configMax = 32;
const driverNameMax = 63;
const attributeDomainMax = 63;
const attributeNameMax = 32;
const parametersBytesMax = 10 * 1024;
const identifierPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const identifierText =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of " +
  "alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for " +
  "validation is '[A-Za-z_][A-Za-z0-9_]*')";

export function* validateDriverName(name: string, path: string): Findings {
  if (name === "") {
    yield required(path, "");
    return;
  }
  if (name.length > driverNameMax) yield tooLong(path, driverNameMax);
  yield* invalidTexts(path, name, checkDnsSubdomain(name));
}

export function* validateSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  path: string,
): Findings {
  const list = selectors ?? [];
  if (list.length > selectorsMax) {
    yield tooMany(path, list.length, selectorsMax);
    return;
  }
  for (const [i, { cel }] of list.entries()) {
    const at = `${path}[${i}].cel`;
    if (cel === undefined) yield required(at, "");
    else if (cel.expression === "") yield required(`${at}.expression`, "");
    else yield* validateExpression(cel.expression, `${at}.expression`);
  }
}

function* validateExpression(expression: string, path: string): Findings {
  const compiled = compileDeviceSelector(expression);
  if (!compiled.ok) yield invalid(path, expression, compiled.error);
  else if (compiled.estimatedCostMax > selectorCostMax) {
    yield forbidden(path, "too complex, exceeds cost limit");
  }
}

export function* validateConfigurations(
  config: readonly DeviceConfiguration[] | undefined,
  path: string,
): Findings {
  const list = config ?? [];
  if (list.length > configMax) yield tooMany(path, list.length, configMax);
  for (const [i, entry] of list.entries()) yield* validateConfiguration(entry, `${path}[${i}]`);
}

export function* validateConfiguration({ opaque }: DeviceConfiguration, path: string): Findings {
  if (opaque === undefined) {
    yield required(`${path}.opaque`, "");
    return;
  }
  yield* validateDriverName(opaque.driver, `${path}.opaque.driver`);
  const at = `${path}.opaque.parameters`;
  const { parameters } = opaque;
  if (parameters === undefined || parameters === null) yield required(at, "");
  else if (typeof parameters !== "object" || Array.isArray(parameters)) {
    yield invalid(at, "<value omitted>", "must be a valid JSON object");
  } else if (Buffer.byteLength(JSON.stringify(parameters)) > parametersBytesMax) {
    yield tooLong(at, parametersBytesMax);
  }
}

/** `name`, or `domain/name` where a domain is needed. */
export function* validateQualifiedAttribute(
  name: string,
  path: string,
  { needsDomain }: { needsDomain: boolean },
): Findings {
  if (name === "") {
    yield required(path, "name required");
    return;
  }
  const parts = name.split("/");
  if (parts.length === 1) {
    const detail = "a fully qualified name must be a domain and a name separated by a slash";
    if (needsDomain) yield invalid(path, name, detail);
    else yield* validateIdentifier(name, path);
  } else if (parts.length === 2) {
    const [domain = "", id = ""] = parts;
    if (domain === "") yield required(path, "the domain must not be empty");
    else if (domain.length > attributeDomainMax) yield tooLong(path, attributeDomainMax);
    else yield* validateDnsSubdomain(domain, path);
    if (id === "") yield required(path, "the name must not be empty");
    else yield* validateIdentifier(id, path);
  }
}

function* validateIdentifier(id: string, path: string): Findings {
  if (!identifierPattern.test(id)) yield invalid(path, id, identifierText);
  if (id.length > attributeNameMax) yield tooLong(path, attributeNameMax);
}

/** Each name once, in `requests` of constraints and the like. */
export function* validateUnique(names: readonly string[], path: string): Findings {
  for (const [i, name] of names.entries()) {
    if (names.indexOf(name) < i) yield duplicate(`${path}[${i}]`, name);
  }
}

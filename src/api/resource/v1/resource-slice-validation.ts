import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "#apimachinery/field-error.ts";
import { validateNodeSelector } from "#api/core/v1/affinity-validation.ts";
import {
  type Findings,
  invalidTexts,
  sortedEntries,
  validateDnsLabel,
  validateDnsSubdomain,
  validateImmutable,
  validateLabelName,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateDriverName, validateQualifiedAttribute } from "./device-validation.ts";
import { taintEffects } from "./resource-claim-spec-validation.ts";
import {
  type Device,
  DeviceAttribute,
  type ResourceSlice,
  type ResourceSliceSpec,
} from "./resource-slice.ts";

/** Source: ValidateResourceSlice in pkg/apis/resource/validation. */
const devicesMax = 128;
const attributesMax = 32;
const attributeLengthMax = 64;
const taintsMax = 16;
const semverPattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z.-]+)?$/;

export function* validateSlice({ spec }: ResourceSlice): Findings {
  yield* validateDriverName(spec.driver, "spec.driver");
  yield* validatePool(spec);
  yield* validateNodeChoice(spec);
  const { devices = [], sharedCounters = [] } = spec;
  if (devices.length > 0 && sharedCounters.length > 0) {
    yield invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed");
  }
  if (devices.length > devicesMax) yield tooMany("spec.devices", devices.length, devicesMax);
  else yield* validateDevices(devices, spec);
  for (const [i, { name, counters }] of sharedCounters.entries()) {
    const path = `spec.sharedCounters[${i}]`;
    if (name === "") yield required(`${path}.name`, "");
    else yield* validateDnsLabel(name, `${path}.name`);
    if (Object.keys(counters ?? {}).length === 0) yield required(`${path}.counters`, "");
  }
}

export function* validateSliceUpdate(slice: ResourceSlice, old: ResourceSlice): Findings {
  yield* validateSlice(slice);
  const { spec } = slice;
  yield* validateImmutable(spec.driver, old.spec.driver, "spec.driver");
  yield* validateImmutable(spec.pool.name, old.spec.pool.name, "spec.pool.name");
  yield* validateImmutable(spec.nodeName, old.spec.nodeName, "spec.nodeName");
}

function* validatePool({ pool }: ResourceSliceSpec): Findings {
  const path = "spec.pool";
  if (pool.name === "") yield required(`${path}.name`, "");
  for (const part of pool.name === "" ? [] : pool.name.split("/")) {
    yield* invalidTexts(`${path}.name`, part, checkDnsSubdomain(part));
  }
  if (pool.resourceSliceCount <= 0) {
    yield invalid(
      `${path}.resourceSliceCount`,
      pool.resourceSliceCount,
      "must be greater than zero",
    );
  }
  if (pool.generation < 0) {
    const detail = "must be greater than or equal to zero";
    yield invalid(`${path}.generation`, pool.generation, detail);
  }
}

const choiceText =
  "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

function* validateNodeChoice(spec: ResourceSliceSpec): Findings {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  const set = [
    ...(nodeName === undefined ? [] : ["`nodeName`"]),
    ...(nodeSelector === undefined ? [] : ["`nodeSelector`"]),
    ...(allNodes === true ? ["`allNodes`"] : []),
    ...(perDeviceNodeSelection === true ? ["`perDeviceNodeSelection`"] : []),
  ];
  if (nodeName !== undefined) {
    if (nodeName === "")
      yield invalid("spec.nodeName", nodeName, "must be either unset or set to a non-empty string");
    else yield* validateDnsSubdomain(nodeName, "spec.nodeName");
  }
  if (nodeSelector !== undefined)
    yield* validateNodeSelector(nodeSelector, "spec.nodeSelector", false);
  if (set.length === 0) yield required("spec", choiceText);
  if (set.length > 1) {
    yield invalid("spec", `{${set.join(", ")}}`, `${choiceText}, but multiple fields are set`);
  }
}

function* validateDevices(devices: readonly Device[], spec: ResourceSliceSpec): Findings {
  const repeated: FieldError[] = [];
  for (const [i, device] of devices.entries()) {
    const path = `spec.devices[${i}]`;
    yield* validateDevice(device, path, spec.perDeviceNodeSelection === true);
    const isRepeated = devices.slice(0, i).some(({ name }) => name === device.name);
    if (isRepeated) repeated.push(duplicate(path, device.name));
  }
  yield* repeated;
}

function* validateDevice(device: Device, path: string, choosesNodes: boolean): Findings {
  yield* validateDnsLabel(device.name, `${path}.name`);
  const { attributes, capacity, taints = [], consumesCounters = [] } = device;
  const count = Object.keys(attributes ?? {}).length + Object.keys(capacity ?? {}).length;
  if (count > attributesMax) {
    const detail = `the total number of attributes and capacities must not exceed ${attributesMax}`;
    yield invalid(path, count, detail);
  }
  for (const [name, attribute] of sortedEntries(attributes)) {
    yield* validateQualifiedAttribute(name, `${path}.attributes`, { needsDomain: false });
    yield* validateAttribute(attribute, `${path}.attributes[${name}]`);
  }
  for (const [name, { requestPolicy }] of sortedEntries(capacity)) {
    yield* validateQualifiedAttribute(name, `${path}.capacity`, { needsDomain: false });
    if (requestPolicy !== undefined && device.allowMultipleAllocations !== true) {
      const detail = "allowMultipleAllocations must be true";
      yield forbidden(`${path}.capacity[${name}].requestPolicy`, detail);
    }
  }
  if (taints.length > taintsMax) yield tooMany(`${path}.taints`, taints.length, taintsMax);
  for (const [i, { key, effect }] of taints.entries()) {
    const at = `${path}.taints[${i}]`;
    yield* validateLabelName(key, `${at}.key`);
    if (effect === "") yield required(`${at}.effect`, "");
    else if (!taintEffects.includes(effect))
      yield notSupported(`${at}.effect`, effect, taintEffects);
  }
  for (const [i, { counterSet, counters }] of consumesCounters.entries()) {
    const at = `${path}.consumesCounters[${i}]`;
    if (counterSet === "") yield required(`${at}.counterSet`, "");
    if (Object.keys(counters ?? {}).length === 0) yield required(`${at}.counters`, "");
  }
  const choices = [device.nodeName, device.nodeSelector, device.allNodes || undefined];
  if (choosesNodes && choices.every((choice) => choice === undefined)) {
    const detail =
      "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when " +
      "`perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    yield required(path, detail);
  }
}

const attributeArms = [
  "int",
  "bool",
  "string",
  "version",
  "ints",
  "bools",
  "strings",
  "versions",
] as const;

function* validateAttribute(attribute: DeviceAttribute, path: string): Findings {
  const set = attributeArms.filter((arm) => attribute[arm] !== undefined);
  const detail = "exactly one value must be specified";
  if (set.length === 0) yield invalid(path, "", detail);
  if (set.length > 1) yield invalid(path, shownAttribute(attribute), detail);
  const { string: text, version } = attribute;
  if (text !== undefined && text.length > attributeLengthMax) {
    yield tooLong(`${path}.string`, attributeLengthMax);
  }
  if (version === undefined) return;
  if (!semverPattern.test(version)) {
    const rule = "must be a string compatible with semver.org spec 2.0.0";
    yield invalid(`${path}.version`, version, rule);
  }
  if (version.length > attributeLengthMax) yield tooLong(`${path}.version`, attributeLengthMax);
}

/** Internally the members are called `IntValue` ... `VersionValues`. */
function shownAttribute(attribute: DeviceAttribute): unknown {
  const shown = internalValue(DeviceAttribute, attribute) as Record<string, unknown>;
  const renamed = Object.entries(shown).map(([name, value]) => {
    const isList = name.endsWith("s");
    return [isList ? `${name.slice(0, -1)}Values` : `${name}Value`, value] as const;
  });
  return Object.fromEntries(renamed);
}

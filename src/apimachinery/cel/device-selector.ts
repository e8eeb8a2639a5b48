import { defineLibrary, selfChecked, type Library } from "./declaration.ts";
import { createEnvironment, type Program } from "./environment.ts";
import { equals } from "./equality.ts";
import type { Limits } from "./frame.ts";
import { adaptJson } from "./json-value.ts";
import { deviceSelectorLibraries } from "./library/kubernetes.ts";
import { parseQuantity, quantityType } from "./library/quantity.ts";
import { parseSemver } from "./library/semver.ts";
import {
  attributeCharsMax,
  attributeDomainCharsMax,
  attributeIdCharsMax,
  attributesMax,
  attributeValuesMax,
  driverNameCharsMax,
  selectorCostMax,
} from "./limits.ts";
import type { SchemaType } from "./schema.ts";
import {
  boolType,
  dynType,
  formatType,
  isDyn,
  mapType,
  objectType,
  stringType,
  type CelType,
} from "./types.ts";
import { CelError, CelList, typeOf, ValueMap, type CelValue } from "./value.ts";

/** One value of an attribute, or a list of them. */
export interface SelectableAttribute {
  readonly int?: number | bigint | undefined;
  readonly bool?: boolean | undefined;
  readonly string?: string | undefined;
  readonly version?: string | undefined;
  readonly ints?: readonly (number | bigint)[] | undefined;
  readonly bools?: readonly boolean[] | undefined;
  readonly strings?: readonly string[] | undefined;
  readonly versions?: readonly string[] | undefined;
}

/** What selectors see of a device of a ResourceSlice; `driver` is the slice's. */
export interface SelectableDevice {
  readonly driver: string;
  readonly allowMultipleAllocations?: boolean | undefined;
  readonly attributes?: Readonly<Record<string, SelectableAttribute>> | undefined;
  readonly capacity?: Readonly<Record<string, { readonly value: string }>> | undefined;
}

export type SelectorResult =
  { readonly ok: true; readonly matches: boolean } | { readonly ok: false; readonly error: string };

export type CompiledSelector =
  | {
      readonly ok: true;
      /** A selector whose estimate is above `selectorCostMax` must not be stored. */
      readonly estimatedCostMax: number;
      readonly matches: (device: CelValue, limits?: Partial<Limits>) => SelectorResult;
    }
  | { readonly ok: false; readonly error: string };

function bounded(type: CelType, elementsMax: number): SchemaType {
  return { type, elementsMax, serializedBytesMin: 0, adapt: adaptJson };
}

function namedMap(element: SchemaType, keyCharsMax: number): SchemaType {
  const type = mapType(stringType, element.type);
  return { ...bounded(type, attributesMax), element, key: bounded(stringType, keyCharsMax) };
}

/** Values of attributes are of any type, lists among them, but not longer than this. */
const attribute = bounded(dynType, Math.max(attributeCharsMax, attributeValuesMax));
const attributes = { ...namedMap(attribute, attributeIdCharsMax), anyField: attribute };
const capacities = namedMap(bounded(quantityType, 0), attributeIdCharsMax);

const fields: ReadonlyMap<string, SchemaType> = new Map([
  ["driver", bounded(stringType, driverNameCharsMax)],
  ["allowMultipleAllocations", bounded(boolType, 1)],
  ["attributes", namedMap(attributes, attributeDomainCharsMax)],
  ["capacity", namedMap(capacities, attributeDomainCharsMax)],
]);

const deviceType: SchemaType = {
  ...bounded(objectType("kubernetes.DRADevice", { field: (name) => fields.get(name)?.type }), 0),
  fields,
};

/** Whether a value is the other, or a list that has it. */
function includes(value: CelValue, wanted: CelValue): boolean {
  if (!(value instanceof CelList)) return equals(value, wanted);
  let count = 0;
  for (const element of value) {
    if (count++ === attributeValuesMax) {
      throw new CelError(
        `'includes' function cannot be applied to lists longer than ${attributeValuesMax} values`,
      );
    }
    if (equals(element, wanted)) return true;
  }
  return false;
}

const libraries: readonly Library[] = [
  ...deviceSelectorLibraries,
  defineLibrary({
    name: "kubernetes.includes",
    rows: [["dra_includes_dyn_dyn", "(dyn).includes(dyn) -> bool", selfChecked(includes)]],
  }),
];

const environment = createEnvironment({ libraries, variables: { device: deviceType } });

/**
 * Compiles a selector of devices, as in device classes and resource claims.
 * Source: k8s.io/dynamic-resource-allocation/cel/compile.go.
 */
export function compileDeviceSelector(expression: string): CompiledSelector {
  const compiled = environment.compile(expression);
  if (!compiled.ok) return { ok: false, error: `compilation failed: ${compiled.message}` };
  const { resultType, program, estimatedCost } = compiled;
  if (resultType.kind !== "bool" && !isDyn(resultType)) {
    const found = formatType(resultType);
    return { ok: false, error: `must evaluate to bool or the unknown type, not ${found}` };
  }
  return {
    ok: true,
    estimatedCostMax: estimatedCost.max,
    matches: (device, limits) => evaluate(program, device, limits),
  };
}

function evaluate(program: Program, device: CelValue, limits?: Partial<Limits>): SelectorResult {
  const result = program.evaluate({ device }, { costMax: selectorCostMax, ...limits });
  if (!result.ok) return { ok: false, error: result.error.message };
  if (typeof result.value === "boolean") return { ok: true, matches: result.value };
  const type = typeOf(result.value).name;
  return { ok: false, error: `CEL result of type ${type} could not be converted to bool` };
}

/** A map of domains, where those that are not there are empty. */
class DomainMap extends ValueMap {
  override get(domain: CelValue): CelValue {
    return super.get(domain) ?? new ValueMap();
  }

  add(name: string, defaultDomain: string, value: CelValue): void {
    const slash = name.indexOf("/");
    const domain = slash === -1 ? defaultDomain : name.slice(0, slash);
    const values = this.get(domain);
    if (values instanceof ValueMap) values.set(name.slice(slash + 1), value);
    this.set(domain, values);
  }
}

/**
 * A device as selectors see it, for any number of evaluations. Throws `CelError` when an attribute
 * has no value or a version that is none.
 */
export function deviceValue(device: SelectableDevice): CelValue {
  const { driver, allowMultipleAllocations = false, attributes = {}, capacity = {} } = device;
  const seenAttributes = new DomainMap();
  for (const [name, held] of Object.entries(attributes)) {
    seenAttributes.add(name, driver, attributeValue(name, held));
  }
  const seenCapacity = new DomainMap();
  for (const [name, { value }] of Object.entries(capacity)) {
    seenCapacity.add(name, driver, parseQuantity(value));
  }
  return new ValueMap([
    ["driver", driver],
    ["allowMultipleAllocations", allowMultipleAllocations],
    ["attributes", seenAttributes],
    ["capacity", seenCapacity],
  ]);
}

function attributeValue(name: string, held: SelectableAttribute): CelValue {
  const { int, bool, string, version, ints, bools, strings, versions } = held;
  try {
    if (versions !== undefined) return adaptJson(versions.map(parseSemver));
    const plain = ints ?? bools ?? strings ?? int ?? bool ?? string;
    if (plain !== undefined) return adaptJson(plain);
    if (version !== undefined) return parseSemver(version);
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    throw new CelError(`attribute ${name}: parse semantic version: ${thrown.message}`);
  }
  throw new CelError(`attribute ${name}: unsupported attribute value`);
}

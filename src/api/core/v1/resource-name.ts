import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import {
  compareQuantities,
  isZeroQuantity,
  parseQuantity,
  quantityMilliValue,
  quantitySign,
  quantityValue,
} from "#apimachinery/quantity.ts";
import {
  type Findings,
  invalidTexts,
  negativeText,
  notPositiveText,
} from "#apimachinery/validation/checks.ts";
import { checkQualifiedName } from "#apimachinery/validation/names.ts";

/** Resource names: `cpu`, `hugepages-2Mi`, `example.com/gpu`. Source: pkg/apis/core/helper. */
export type ResourceList = Readonly<Record<string, string>>;

const counted = [
  "pods",
  "services",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const computed = ["cpu", "memory", "ephemeral-storage"];
const standard = new Set([
  ...counted,
  ...computed,
  ...computed.map((name) => `requests.${name}`),
  ...computed.map((name) => `limits.${name}`),
  "storage",
  "requests.storage",
]);
const integers = new Set(counted);

export function isHugePageName(name: string): boolean {
  return name.startsWith("hugepages-");
}

function isQuotaHugePageName(name: string): boolean {
  return isHugePageName(name) || name.startsWith("requests.hugepages-");
}

/** Without a domain, or in kubernetes.io. */
export function isNativeResource(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

/** A vendor's resource, `example.com/gpu`. */
export function isExtendedResourceName(name: string): boolean {
  if (isNativeResource(name) || name.startsWith("requests.")) return false;
  return checkQualifiedName(`requests.${name}`).length === 0;
}

export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePageName(name);
}

export function isIntegerResource(name: string): boolean {
  return integers.has(name) || isExtendedResourceName(name);
}

export function isStandardQuotaResource(name: string): boolean {
  return (standard.has(name) && name !== "storage") || isQuotaHugePageName(name);
}

function isStandardContainerResource(name: string): boolean {
  return computed.includes(name) || isHugePageName(name);
}

/** What a Pod as a whole may ask for. */
export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || isHugePageName(name);
}

export function* validateResourceName(name: string, path: string): Findings {
  const texts = checkQualifiedName(name);
  yield* invalidTexts(path, name, texts);
  if (texts.length > 0 || name.includes("/")) return;
  if (!standard.has(name) && !isQuotaHugePageName(name)) {
    yield invalid(path, name, "must be a standard resource type or fully qualified");
  }
}

export function* validateContainerResourceName(name: string, path: string): Findings {
  yield* validateResourceName(name, path);
  if (!name.includes("/")) {
    if (!isStandardContainerResource(name)) {
      yield invalid(path, name, "must be a standard resource for containers");
    }
  } else if (!isNativeResource(name) && !isExtendedResourceName(name)) {
    yield invalid(path, name, "doesn't follow extended resource name standard");
  }
}

export function* validateQuotaResourceName(name: string, path: string): Findings {
  yield* validateResourceName(name, path);
  if (!name.includes("/") && !isStandardQuotaResource(name)) {
    yield invalid(path, name, "must be a standard resource for quota");
  }
}

/** Not negative, and whole where the resource is counted. */
export function* validateResourceQuantity(name: string, quantity: string, path: string): Findings {
  yield* validateNonNegativeQuantity(quantity, path);
  if (isIntegerResource(name) && !isWholeQuantity(quantity)) {
    yield invalid(path, quantity, "must be an integer");
  }
}

export function* validateNonNegativeQuantity(quantity: string, path: string): Findings {
  if (quantitySign(quantity) < 0) yield invalid(path, quantity, negativeText);
}

export function* validatePositiveQuantity(quantity: string, path: string): Findings {
  if (quantitySign(quantity) <= 0) yield invalid(path, quantity, notPositiveText);
}

export function* validateBasicQuantity(quantity: string, path: string): Findings {
  const value = quantityValue(quantity);
  if (value < 0) yield invalid(path, value, "must be a valid resource quantity");
}

/** No thousandths. */
export function isWholeQuantity(quantity: string): boolean {
  return quantityMilliValue(quantity) % 1000 === 0;
}

/** A multiple of the page size in the name. */
export function hugePageFault(name: string, quantity: string): FieldError["detail"] | undefined {
  const size = quantityValue(parseQuantity(name.slice("hugepages-".length)));
  const value = quantityValue(quantity);
  if (size > 0 && value % size === 0) return undefined;
  return `${quantity} is not positive integer multiple of ${name}`;
}

export function isLess(a: string, b: string): boolean {
  return compareQuantities(a, b) < 0;
}

export function isZero(quantity: string | undefined): boolean {
  return quantity === undefined || isZeroQuantity(quantity);
}

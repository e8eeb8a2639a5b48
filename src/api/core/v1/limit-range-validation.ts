import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  required,
} from "#apimachinery/field-error.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import { quantityMilliValue } from "#apimachinery/quantity.ts";
import { type Findings, invalidTexts, sortedEntries } from "#apimachinery/validation/checks.ts";
import { checkQualifiedName } from "#apimachinery/validation/names.ts";
import type { LimitRange, LimitRangeItem } from "./limit-range.ts";
import {
  isLess,
  isOvercommitAllowed,
  validateContainerResourceName,
  validateResourceName,
} from "./resource-name.ts";

/** Source: ValidateLimitRange in pkg/apis/core/validation. */
const limitTypes = ["Container", "PersistentVolumeClaim", "Pod"];

/** A Container's default limit is its maximum, the default request its limit or its minimum. */
export function defaultLimitRange({ spec }: LimitRange): void {
  for (const item of spec.limits) {
    if (item.type !== "Container") continue;
    item.default = { ...item.max, ...item.default };
    item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  }
}

export function* validateLimitRange({ spec }: LimitRange): Findings {
  const seen = new Set<string>();
  for (const [i, item] of spec.limits.entries()) {
    const path = `spec.limits[${i}]`;
    yield* validateType(item.type, `${path}.type`);
    if (seen.has(item.type)) yield duplicate(`${path}.type`, item.type);
    seen.add(item.type);
    yield* validateNames(item, path);
    yield* validateAmounts(item, path);
  }
}

function* validateType(type: string, path: string): Findings {
  const texts = checkQualifiedName(type);
  yield* invalidTexts(path, type, texts);
  if (texts.length > 0 || type.includes("/") || limitTypes.includes(type)) return;
  yield invalid(path, type, "must be a standard limit type or fully qualified");
}

type List = "max" | "min" | "default" | "defaultRequest" | "maxLimitRequestRatio";

function* validateNames(item: LimitRangeItem, path: string): Findings {
  const check = (list: List): FieldError[] =>
    sortedEntries(item[list]).flatMap(([name]) => {
      const isOfPods = item.type === "Pod" || item.type === "Container";
      const validate = isOfPods ? validateContainerResourceName : validateResourceName;
      return [...validate(name, `${path}.${list}[${name}]`)];
    });
  yield* check("max");
  yield* check("min");
  for (const list of ["default", "defaultRequest"] as const) {
    if (item.type !== "Pod") yield* check(list);
    else if (Object.keys(item[list] ?? {}).length > 0) {
      yield forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'");
    }
  }
  if (item.type === "PersistentVolumeClaim" && !item.min?.["storage"] && !item.max?.["storage"]) {
    const detail = "either minimum or maximum storage value is required, but neither was provided";
    yield required(`${path}.limits`, detail);
  }
  yield* check("maxLimitRequestRatio");
}

function* validateAmounts(item: LimitRangeItem, path: string): Findings {
  const lists = [item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio];
  const names = new Set(lists.flatMap((list) => Object.keys(list ?? {})));
  for (const name of [...names].sort(compareBytes)) {
    yield* validateOrder(item, path, name);
    yield* validateRatio(item, path, name);
    const limit = item.default?.[name];
    const request = item.defaultRequest?.[name];
    if (isOvercommitAllowed(name) || limit === undefined || request === undefined) continue;
    if (!isLess(limit, request) && !isLess(request, limit)) continue;
    const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    yield invalid(`${path}.defaultRequest[${name}]`, request, detail);
  }
}

/** min <= default request <= default <= max, as far as they are given. */
function* validateOrder(item: LimitRangeItem, path: string, name: string): Findings {
  const { min = {}, max = {}, default: limits = {}, defaultRequest: requests = {} } = item;
  const [least, most, limit, request] = [min[name], max[name], limits[name], requests[name]];
  const exceeds = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined && b !== undefined && isLess(b, a);
  if (exceeds(least, most)) {
    yield invalid(
      `${path}.min[${name}]`,
      least,
      `min value ${least} is greater than max value ${most}`,
    );
  }
  const requestPath = `${path}.defaultRequest[${name}]`;
  if (exceeds(least, request)) {
    const detail = `min value ${least} is greater than default request value ${request}`;
    yield invalid(requestPath, request, detail);
  }
  if (exceeds(request, most)) {
    const detail = `default request value ${request} is greater than max value ${most}`;
    yield invalid(requestPath, request, detail);
  }
  if (exceeds(request, limit)) {
    const detail = `default request value ${request} is greater than default limit value ${limit}`;
    yield invalid(requestPath, request, detail);
  }
  const limitPath = `${path}.default[${name}]`;
  if (exceeds(least, limit)) {
    yield invalid(limitPath, least, `min value ${least} is greater than default value ${limit}`);
  }
  if (exceeds(limit, most)) {
    yield invalid(limitPath, most, `default value ${limit} is greater than max value ${most}`);
  }
}

const one = 1000;

function* validateRatio(item: LimitRangeItem, path: string, name: string): Findings {
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return;
  const at = `${path}.maxLimitRequestRatio[${name}]`;
  const milli = quantityMilliValue(ratio);
  if (milli < one) yield invalid(at, ratio, `ratio ${ratio} is less than 1`);
  const [least, most] = [item.min?.[name], item.max?.[name]];
  if (least === undefined || most === undefined) return;
  const possible = quantityMilliValue(most) / quantityMilliValue(least);
  if (milli / one > possible) {
    yield invalid(at, ratio, `ratio ${ratio} is greater than max/min = ${possible.toFixed(6)}`);
  }
}

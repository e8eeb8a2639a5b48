/** CEL selectors of devices, compiled once. */
import { type CompiledSelector, compileDeviceSelector, deviceValue } from "#apimachinery/cel/device-selector.ts";
import type { PublishedDevice } from "./devices.ts";

/** Compiled expressions kept; beyond it all are forgotten. */
const compiledMax = 1024;
const compiled = new Map<string, CompiledSelector>();
const values = new WeakMap<PublishedDevice, ReturnType<typeof deviceValue>>();

/** Throws when the expression cannot be compiled, or fails on the device. */
export function selectorMatches(expression: string, device: PublishedDevice): boolean {
  let selector = compiled.get(expression);
  if (selector === undefined) {
    if (compiled.size >= compiledMax) compiled.clear();
    compiled.set(expression, (selector = compileDeviceSelector(expression)));
  }
  if (!selector.ok) throw new Error(`CEL compile error: ${selector.error}`);
  let value = values.get(device);
  if (value === undefined) values.set(device, (value = deviceValue({ ...device.device, driver: device.driver })));
  const result = selector.matches(value);
  if (!result.ok) throw new Error(`CEL runtime error: ${result.error}`);
  return result.matches;
}

/**
 * Maps whose keys come from users. A ConfigMap key `__proto__` is legal, and `map[key] = value`
 * would change the prototype instead of adding it.
 */
export function setOwn<T>(map: Record<string, T>, key: string, value: T): void {
  if (key !== "__proto__") map[key] = value;
  else {
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

export function getOwn<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

export { compareBytes } from "#base/compare-bytes.ts";

/**
 * Empty lists and maps that a client sent for fields that Go always writes. Everywhere else they
 * are as absent ones; Go prints them differently, so that whoever sent one owns its field.
 */
const given = new WeakSet<object>();

export function markGivenEmpty(container: object): void {
  given.add(container);
}

export function isGivenEmpty(container: object): boolean {
  return given.has(container);
}

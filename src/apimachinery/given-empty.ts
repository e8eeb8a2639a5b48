/**
 * Empty lists and maps that a client sent. To Go they are not nil: it prints them differently in errors, defaults do not
 * replace them, and whoever sent one for a field that is always written owns it. Once stored they are as absent ones.
 */
const given = new WeakSet<object>();

export function markGivenEmpty(container: object): void {
  given.add(container);
}

export function isGivenEmpty(container: object): boolean {
  return given.has(container);
}

/**
 * Resolves on the event loop's next turn, when every microtask that was queued, and every one
 * that those queued in turn, has run. For virtual time, and for long loops that let others in.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

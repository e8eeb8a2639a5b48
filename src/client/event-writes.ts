/**
 * Writes that nobody waits for: those with one key one after the other, in their order, those with
 * different keys side by side.
 */
export interface EventWrites {
  /** `write` must not reject. Dropped when `pendingMax` are waiting: events are no promise. */
  push(key: string, write: () => Promise<void>): void;
}

/** Most writes under way. */
const eventWritesMax = 32;
/** Most writes waiting; more are dropped. A burst of the scheduler's is larger than upstream's 1,000. */
const eventWritesPendingMax = 10_000;

export function createEventWrites(): EventWrites {
  const ready: string[] = [];
  /** By key; a key is there while it has writes that wait or run. */
  const lines = new Map<string, (() => Promise<void>)[]>();
  let waiting = 0;
  let running = 0;

  function start(): void {
    while (running < eventWritesMax) {
      const key = ready.shift();
      if (key === undefined) return;
      running++;
      void runNext(key);
    }
  }

  async function runNext(key: string): Promise<void> {
    const line = lines.get(key) ?? [];
    waiting--;
    await line.shift()?.();
    running--;
    if (line.length > 0) ready.push(key);
    else lines.delete(key);
    start();
  }

  return {
    push(key, write) {
      if (waiting >= eventWritesPendingMax) return;
      waiting++;
      const line = lines.get(key);
      if (line !== undefined) return void line.push(write);
      lines.set(key, [write]);
      ready.push(key);
      start();
    },
  };
}

/** What is looked at by the clock, because nothing tells of it: sizes of logs, disks, memory. */
import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";

export interface Chore {
  readonly name: string;
  readonly periodMs: number;
  readonly run: () => Promise<void>;
}

/** Runs each chore again and again, never twice at once; failures are logged. */
export function startChores(
  chores: readonly Chore[],
  { world, lifetime }: { readonly world: World; readonly lifetime: Lifetime },
): void {
  for (const { name, periodMs, run } of chores) {
    let timer: Disposable | undefined;
    const arm = (): void => {
      timer = world.clock.after(periodMs, () => {
        run()
          .catch((error: unknown) => {
            if (!lifetime.ended) world.log.warn("chore failed", { chore: name, error });
          })
          .finally(() => {
            if (!lifetime.ended) arm();
          });
      });
    };
    arm();
    lifetime.defer(() => timer?.[Symbol.dispose]());
  }
}

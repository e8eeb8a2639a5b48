/** Pods that have their node, and wait for a plugin's leave to be bound. Source: waiting_pods_map.go. */
import type { Clock } from "#base/clock.ts";
import { failed, type Permit, type Status, unschedulable } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

export interface WaitingPod {
  readonly pod: PodInfo;
  readonly nodeName: string;
  /** One plugin's leave; the pod goes on when all have given theirs. */
  allow(plugin: string): void;
  reject(plugin: string, reason: string): void;
}

export interface Rejection {
  readonly plugin: string;
  readonly status: Status;
}

export interface WaitingPods {
  get(uid: string): WaitingPod | undefined;
  values(): Iterable<WaitingPod>;
  /** Resolves when all have allowed it, or with the first rejection. */
  wait(pod: PodInfo, node: NodeInfo, waits: ReadonlyMap<string, number>): Promise<Rejection | undefined>;
}

/** Upstream's maxTimeout: no plugin may hold a pod for longer. */
export const permitWaitMsMax = 15 * 60_000;

export function createWaitingPods(clock: Clock): WaitingPods {
  const waiting = new Map<string, WaitingPod>();
  return {
    get: (uid) => waiting.get(uid),
    values: () => [...waiting.values()],
    wait(pod, node, waits) {
      const { promise, resolve } = Promise.withResolvers<Rejection | undefined>();
      const timers = new Map<string, Disposable>();
      const settle = (rejection: Rejection | undefined): void => {
        for (const timer of timers.values()) timer[Symbol.dispose]();
        waiting.delete(pod.uid);
        resolve(rejection);
      };
      const reject = (plugin: string, reason: string): void => settle({ plugin, status: unschedulable(reason) });
      for (const [plugin, waitMs] of waits) {
        const boundedMs = Math.min(waitMs, permitWaitMsMax);
        const late = `rejected due to timeout after waiting ${boundedMs / 1000}s at plugin ${plugin}`;
        timers.set(
          plugin,
          clock.after(boundedMs, () => reject(plugin, late)),
        );
      }
      waiting.set(pod.uid, {
        pod,
        nodeName: node.name,
        allow(plugin) {
          timers.get(plugin)?.[Symbol.dispose]();
          if (timers.delete(plugin) && timers.size === 0) settle(undefined);
        },
        reject,
      });
      return promise;
    },
  };
}

/** Asks each plugin; a map tells who wants the pod to wait, and for how long. */
export function askPermits(
  plugins: readonly { readonly name: string; readonly ask: () => Permit }[],
): Rejection | ReadonlyMap<string, number> {
  const waits = new Map<string, number>();
  for (const { name, ask } of plugins) {
    let answer: Permit;
    try {
      answer = ask();
    } catch (error) {
      answer = failed(error);
    }
    if (answer === undefined) continue;
    if ("code" in answer) return { plugin: name, status: answer };
    waits.set(name, answer.waitMs);
  }
  return waits;
}

import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { PodRuntime } from "../pod/pod-runtime.ts";
import type { ProbeResult } from "../pod/plan-pod.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";

/** Runs the probes of the node's containers. */
export interface ProbeManager {
  /** Latest results by container id; undefined before the first. */
  startup(containerId: string): ProbeResult | undefined;
  liveness(containerId: string): ProbeResult | undefined;
  readiness(containerId: string): ProbeResult | undefined;
  /** Starts and stops probes so that they fit what runs. Only readiness goes on while it ends. */
  follow(pod: Pod, runtime: PodRuntime, options: { readonly ending: boolean }): void;
  forget(uid: string): void;
}

export interface ProbedContainer {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly startedMs: number;
}

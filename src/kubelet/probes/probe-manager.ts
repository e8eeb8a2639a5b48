import type { Container } from "#api/core/v1/container.ts";
import type { Probe } from "#api/core/v1/probe.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Clock } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import { isHostNetwork, isSidecar, uidOf } from "../pod/container-list.ts";
import type { ProbeResult, ProbeResults } from "../pod/plan-pod.ts";
import type { PodEvents } from "../pod/pod-events.ts";
import { isRunning, latestContainer, type PodRuntime, podIpsOf } from "../pod/pod-runtime.ts";
import { createProbeLoop, type ProbeLoop } from "./probe-loop.ts";
import type { ProbePorts } from "./run-probe.ts";

export const probeKinds = ["startup", "liveness", "readiness"] as const;
export type ProbeKind = (typeof probeKinds)[number];

/** Runs the probes of the node's containers. Source: kubelet/prober/prober_manager.go. */
export interface ProbeManager extends ProbeResults {
  readiness(containerId: string): ProbeResult | undefined;
  /** Starts and stops probes so that they fit what runs, and asks anew what is not ready. Only readiness goes on while it ends. */
  follow(pod: Pod, runtime: PodRuntime, options: { readonly ending: boolean }): void;
  forget(uid: string): void;
}

export interface ProbeManagerOptions {
  readonly clock: Clock;
  readonly lifetime: Lifetime;
  readonly ports: ProbePorts;
  readonly events: PodEvents;
  readonly nodeIp: string;
  /** A result that counts has changed. */
  readonly changed: (uid: string) => void;
}

export function createProbeManager(options: ProbeManagerOptions): ProbeManager {
  /** By Pod, then by `kind/container id`. */
  const loops = new Map<string, Map<string, ProbeLoop>>();
  const byContainer = new Map<string, ProbeLoop>();

  options.lifetime.defer(() => byContainer.forEach((loop) => loop[Symbol.dispose]()));

  function start(
    pod: Pod,
    probed: { readonly container: Container; readonly kind: ProbeKind; readonly probe: Probe },
    instance: { readonly id: string; readonly startedMs: number; readonly podIp: string },
  ): ProbeLoop {
    const { container, kind, probe } = probed;
    return createProbeLoop({
      kind,
      probe,
      clock: options.clock,
      ports: options.ports,
      startedMs: instance.startedMs,
      target: { container, containerId: instance.id, podIp: instance.podIp },
      mayRun: () => kind === "startup" || hasStarted(container, instance.id),
      tell: {
        warning: (reason, message) => options.events.warning(pod, reason, message, container.name),
        changed() {
          options.changed(uidOf(pod));
          if (kind === "startup") nudge(pod, instance.id);
        },
      },
    });
  }

  function hasStarted(container: Container, id: string): boolean {
    return (
      container.startupProbe === undefined || byContainer.get(`startup/${id}`)?.result === "success"
    );
  }

  /** After the startup probe has passed the others need not wait for their next turn. */
  function nudge(pod: Pod, id: string): void {
    for (const kind of ["liveness", "readiness"])
      loops.get(uidOf(pod))?.get(`${kind}/${id}`)?.nudge();
  }

  function stop(uid: string, key: string): void {
    const own = loops.get(uid);
    own?.get(key)?.[Symbol.dispose]();
    own?.delete(key);
    byContainer.delete(key);
    if (own?.size === 0) loops.delete(uid);
  }

  return {
    startup: (id) => byContainer.get(`startup/${id}`)?.result,
    liveness: (id) => byContainer.get(`liveness/${id}`)?.result,
    readiness: (id) => byContainer.get(`readiness/${id}`)?.result,
    follow(pod, runtime, { ending }) {
      const uid = uidOf(pod);
      const [ip = ""] = podIpsOf(runtime);
      const podIp = isHostNetwork(pod) ? options.nodeIp : ip;
      const wanted = new Set<string>();
      for (const container of probedContainers(pod)) {
        const instance = latestContainer(runtime, container.name);
        if (instance === undefined || !isRunning(instance)) continue;
        for (const kind of probeKinds) {
          const probe = container[`${kind}Probe`];
          if (probe === undefined || (ending && kind !== "readiness")) continue;
          const key = `${kind}/${instance.id}`;
          wanted.add(key);
          const present = byContainer.get(key);
          if (present !== undefined) {
            if (kind === "readiness" && present.result !== "success") present.nudge();
            continue;
          }
          const own = loops.get(uid) ?? new Map<string, ProbeLoop>();
          loops.set(uid, own);
          const startedMs = instance.startedAt / 1e6;
          const loop = start(
            pod,
            { container, kind, probe },
            { id: instance.id, startedMs, podIp },
          );
          own.set(key, loop);
          byContainer.set(key, loop);
          loop.nudge();
        }
      }
      for (const key of [...(loops.get(uid)?.keys() ?? [])]) if (!wanted.has(key)) stop(uid, key);
    },
    forget(uid) {
      for (const key of [...(loops.get(uid)?.keys() ?? [])]) stop(uid, key);
    },
  };
}

function probedContainers(pod: Pod): readonly Container[] {
  return [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
}

import type { Container } from "#api/core/v1/container.ts";
import type { LifecycleHandler } from "#api/core/v1/probe.ts";
import type { Clock } from "#base/clock.ts";
import type { RuntimeService } from "../cri/runtime.ts";
import { httpRequestOf } from "../probes/http-request.ts";
import type { ProbeNetwork } from "../probes/probe-network.ts";

export interface HookTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  /** Aborting stops the waiting, not what runs inside. */
  readonly signal: AbortSignal;
}

/** Hooks may answer slowly, but not never. Source: kubelet lifecycle handlers. */
const httpTimeoutMs = 30_000;

/** Runs a postStart or preStop handler; rejects when it fails. Source: kubelet/lifecycle/handlers.go. */
export async function runHook(
  handler: LifecycleHandler,
  target: HookTarget,
  using: {
    readonly runtime: RuntimeService;
    readonly network: ProbeNetwork;
    readonly clock: Clock;
  },
): Promise<void> {
  if (handler.exec !== undefined) {
    const { command = [] } = handler.exec;
    const result = await using.runtime.execSync(target.containerId, command, 0);
    if (result.exitCode === 0) return;
    const output = Buffer.concat([result.stdout, result.stderr]).toString("utf8");
    throw new Error(`command '${command.join(" ")}' exited with ${result.exitCode}: ${output}`);
  }
  if (handler.sleep !== undefined) {
    return using.clock.sleep(handler.sleep.seconds * 1000, target.signal);
  }
  if (handler.httpGet !== undefined) {
    const request = httpRequestOf(handler.httpGet, { ...target, timeoutMs: httpTimeoutMs });
    await using.network.httpGet(request);
    return;
  }
  throw new Error(`invalid handler: ${JSON.stringify(handler)}`);
}

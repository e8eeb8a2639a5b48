import type { ConnectHandler } from "../http/frontend.ts";
import { podCommand, podLog, podPortForward } from "./pod-streams.ts";
import { nodeProxy, podProxy, type ProxyTargets, serviceProxy } from "./proxies.ts";

/** Subresources that stream or pass through, by the names that `src/api` gives their handlers. */
export function connectHandlers(targets: ProxyTargets): ReadonlyMap<string, ConnectHandler> {
  return new Map([
    ["nodes/proxy", nodeProxy(targets)],
    ["pods/attach", podCommand(targets.kubelets, "attach")],
    ["pods/exec", podCommand(targets.kubelets, "exec")],
    ["pods/log", podLog(targets.kubelets)],
    ["pods/portforward", podPortForward(targets.kubelets)],
    ["pods/proxy", podProxy(targets)],
    ["services/proxy", serviceProxy(targets)],
  ]);
}

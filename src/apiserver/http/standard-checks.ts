import type { Clock } from "#base/clock.ts";
import { keyOf, type Store } from "#store/store.ts";
import type { HealthCheck, HealthChecks } from "./health.ts";

/** What the checks ask of the running server. */
export interface ServerState {
  readonly clock: Clock;
  /** True once the objects that every cluster has are in place. */
  readonly bootstrapped: () => boolean;
  /** True from the signal to stop on: no new clients, please. */
  readonly stopping: () => boolean;
}

/** Work after the start, in upstream's order; all of it is done when the server is bootstrapped. */
const startHooks = [
  "start-apiserver-admission-initializer",
  "generic-apiserver-start-informers",
  "priority-and-fairness-config-consumer",
  "priority-and-fairness-filter",
  "storage-object-count-tracker-hook",
  "start-apiextensions-informers",
  "start-apiextensions-controllers",
  "crd-informer-synced",
  "start-system-namespaces-controller",
  "peer-endpoint-reconciler-controller",
  "start-cluster-authentication-info-controller",
  "start-kube-apiserver-identity-lease-controller",
  "start-kube-apiserver-identity-lease-garbage-collector",
  "storage-readiness",
  "start-legacy-token-tracking-controller",
  "start-service-ip-repair-controllers",
  "rbac/bootstrap-roles",
  "scheduling/bootstrap-system-priority-classes",
  "priority-and-fairness-config-producer",
  "bootstrap-controller",
  "start-kubernetes-service-cidr-controller",
  "start-kube-aggregator-informers",
  "apiservice-status-local-available-controller",
  "apiservice-status-remote-available-controller",
  "apiservice-registration-controller",
  "apiservice-wait-for-first-sync",
  "apiservice-discovery-controller",
  "kube-apiserver-autoregistration",
] as const;
const lastHooks = ["apiservice-openapi-controller", "apiservice-openapiv3-controller"] as const;

/** The checks of `/healthz`, `/livez` and `/readyz` under upstream's names; `further` are in all of them. */
export function standardChecks(store: Store, state: ServerState, further: readonly HealthCheck[] = []): HealthChecks {
  const fine = (name: string): HealthCheck => ({ name, check: () => undefined });
  const started = (name: string): HealthCheck => ({
    name,
    check: () => (state.bootstrapped() ? undefined : "not finished"),
  });
  const hook = (name: string): HealthCheck => started(`poststarthook/${name}`);
  const hooks = [...startHooks.map(hook), started("autoregister-completion"), ...lastHooks.map(hook)];
  const first = [fine("ping"), fine("log")];
  const live = [...first, fine("loopback-serving-certificate"), etcdCheck(store, state.clock), ...further, ...hooks];
  const shutdown: HealthCheck = {
    name: "shutdown",
    check: () => (state.stopping() ? "process is shutting down" : undefined),
  };
  return { healthz: live, livez: live, readyz: [...first, ...further, started("informer-sync"), ...hooks, shutdown] };
}

/** Source: --etcd-healthcheck-timeout. */
const storeTimeoutMs = 2_000;

/** Reads from the store: fails when that takes too long. */
function etcdCheck(store: Store, clock: Clock): HealthCheck {
  return {
    name: "etcd",
    async check() {
      const read = store.range({ key: keyOf("/registry/health"), limit: 1 }).then(
        () => undefined,
        (error: unknown) => `etcd failed: ${(error as Error).message}`,
      );
      const late = Promise.withResolvers<string>();
      using _timer = clock.after(storeTimeoutMs, () => late.resolve("error getting data from etcd: context deadline exceeded"));
      return await Promise.race([read, late.promise]);
    },
  };
}

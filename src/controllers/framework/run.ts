import { kubernetesRelease } from "#apimachinery/release.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import { createMetricRegistry, type MetricRegistry } from "#base/metrics.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { createEventRecorder } from "#client/events.ts";
import type { Informers } from "#client/informer-factory.ts";
import type { Controller, ControllerSettings } from "./controller.ts";

export interface StartControllersOptions {
  readonly controllers: readonly Controller[];
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly metrics?: MetricRegistry;
  readonly settings?: ControllerSettings;
  /** As `--controllers`: `*` for those on by default, `name`, `-name`. Default `["*"]`. */
  readonly enable?: readonly string[];
  /** Each controller acts as its service account of kube-system instead of as `client` does. */
  readonly ownIdentities?: boolean;
}

const userAgent = `kube-controller-manager/${kubernetesRelease}`;

/** Starts controllers on shared informers; they live until the lifetime ends. */
export function startControllers(options: StartControllersOptions): void {
  const { controllers, enable = ["*"], metrics = createMetricRegistry() } = options;
  const names = new Set<string>();
  for (const controller of controllers) {
    assert(!names.has(controller.name), `two controllers are named ${controller.name}`);
    names.add(controller.name);
    if (!isEnabled(controller, enable)) continue;
    const { name, account = name, component = name } = controller;
    const lifetime = options.lifetime.child(name);
    const log = options.log.named(name);
    const client =
      options.ownIdentities === true ? actingAs(options.client, account) : options.client;
    controller.start({
      name,
      client,
      informers: options.informers,
      events: createEventRecorder({ client, clock: options.clock, log, lifetime, component }),
      clock: options.clock,
      random: options.random,
      log,
      lifetime,
      metrics,
      settings: options.settings ?? {},
    });
  }
}

/** The first mention decides, as upstream's IsControllerEnabled. */
function isEnabled(
  { name, disabledByDefault = false }: Controller,
  enable: readonly string[],
): boolean {
  if (enable.includes(name)) return true;
  if (enable.includes(`-${name}`)) return false;
  return enable.includes("*") && !disabledByDefault;
}

function actingAs(client: Client, controller: string): Client {
  return client.as(
    {
      name: `system:serviceaccount:kube-system:${controller}`,
      groups: [
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
        "system:authenticated",
      ],
    },
    `${userAgent}/${controller}`,
  );
}

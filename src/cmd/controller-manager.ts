import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import type { Client } from "#client/client.ts";
import type { Informers } from "#client/informer-factory.ts";
import { startControllers } from "#controllers/framework/run.ts";
import { controllers } from "#controllers/registry.ts";
import type { Pki } from "./pki.ts";

export interface ControllerManagerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly pki: Pki;
  readonly lifetime: Lifetime;
  /** As `--controllers`. */
  readonly enable?: readonly string[];
}

/** Starts the controllers in this process. */
export function startControllerManager(world: World, options: ControllerManagerOptions): void {
  const { client, informers, pki, lifetime, enable } = options;
  startControllers({
    controllers,
    client,
    informers,
    clock: world.clock,
    random: world.random,
    log: world.log.named("controller-manager"),
    lifetime: lifetime.child("controller-manager"),
    ownIdentities: true,
    settings: { rootCa: pki.caPem },
    ...(enable && { enable }),
  });
}

import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import { createVirtualClock, type VirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { type Client, createClient, type ResourceTarget } from "#client/client.ts";
import { createInformers, type Informers } from "#client/informer-factory.ts";
import type { Controller, ControllerSettings } from "#controllers/framework/controller.ts";
import { startControllers } from "#controllers/framework/run.ts";
import { createFakeApi, type FakeApi } from "./fake-api.ts";

/** Controllers at work on a fake API under a virtual clock. */
export interface ControllerWorld {
  readonly api: FakeApi;
  readonly clock: VirtualClock;
  readonly client: Client;
  readonly informers: Informers;
  readonly lifetime: Lifetime;
  /** Errors that reconciles met, without those of conflicts. */
  readonly errors: unknown[];
  seed<T extends KubeObject>(definition: ResourceDefinition<T>, object: T): T;
  get<T extends KubeObject>(definition: ResourceDefinition<T>, key: string): T | undefined;
  list<T extends KubeObject>(definition: ResourceDefinition<T>): T[];
  /** Lets everything happen that needs less than `ms`; default 3 s, for short retries. */
  settle(ms?: number): Promise<void>;
  /** `Reason: message` of all events, in order. */
  events(): string[];
}

export interface ControllerWorldOptions {
  readonly settings?: ControllerSettings;
  readonly served?: readonly ResourceTarget[];
}

export function startControllerWorld(
  controllers: readonly Controller[],
  options: ControllerWorldOptions = {},
): ControllerWorld {
  const clock = createVirtualClock();
  const random = createVirtualRandom(7);
  const lifetime = new Lifetime("world");
  const api = createFakeApi({ clock, random, ...(options.served && { served: options.served }) });
  const client = createClient({ transport: api.transport });
  const errors: unknown[] = [];
  const log = collectingLogger(errors);
  const ports = { clock, random, log, lifetime, client };
  const informers = createInformers(ports);
  startControllers({
    ...ports,
    controllers,
    informers,
    ...(options.settings && { settings: options.settings }),
  });
  return {
    api,
    clock,
    client,
    informers,
    lifetime,
    errors,
    seed: (definition, object) => api.seed(definition, object),
    get: <T extends KubeObject>(definition: ResourceDefinition<T>, key: string) =>
      api.get(definition, key) as T | undefined,
    list: <T extends KubeObject>(definition: ResourceDefinition<T>) => api.list(definition) as T[],
    async settle(ms = 3000) {
      await clock.advance(ms);
    },
    events: () => api.list(eventTarget).map(textOfEvent),
  };
}

const eventTarget: ResourceTarget = {
  group: "",
  version: "v1",
  plural: "events",
  kind: "Event",
  scope: "Namespaced",
};

function textOfEvent(event: KubeObject): string {
  const { reason, message } = event as { reason?: string; message?: string };
  return `${reason}: ${message}`;
}

function collectingLogger(errors: unknown[]): Logger {
  const logger: Logger = {
    info() {},
    debug() {},
    warn() {},
    error: (_message, error) => void errors.push(error),
    named: () => logger,
  };
  return logger;
}

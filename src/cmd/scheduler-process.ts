import { createHttpClient } from "#base/os/http-client.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import type { PostJson } from "#scheduler/extender-calls.ts";
import { startScheduler } from "#scheduler/scheduler.ts";
import { parseYaml } from "#wire/yaml.ts";
import { featureDefaults } from "./feature-defaults.ts";
import { featureReader } from "./features.ts";
import type { Remote } from "./remote.ts";

export interface SchedulerFlags {
  /** File of a KubeSchedulerConfiguration. */
  readonly config?: string;
  readonly featureGates?: string;
}

export interface SchedulerProcessOptions {
  readonly remote: Remote;
  readonly flags: SchedulerFlags;
  readonly host: string;
  readonly lifetime: Lifetime;
}

/** What `scheduler` runs with; reads its files at once. Returns what starts it, when it may lead. */
export async function prepareScheduler(
  world: World,
  { remote, flags, host, lifetime }: SchedulerProcessOptions,
): Promise<(lifetime: Lifetime) => void> {
  const { clock, random, files } = world;
  const features = featureReader(flags.featureGates ?? "", featureDefaults);
  const configuration = flags.config === undefined ? undefined : parseYaml(await files.read(flags.config)).value;
  const postJson = createPostJson(lifetime);
  return (own) =>
    void startScheduler({
      ...remote,
      clock,
      random,
      host,
      postJson,
      log: world.log.named("scheduler"),
      lifetime: own,
      featureEnabled: (gate) => features.enabled(gate),
      ...(configuration !== undefined && { configuration }),
    });
}

/** One connection pool for each extender. */
function createPostJson(lifetime: Lifetime): PostJson {
  const clients = new Map<string, ReturnType<typeof createHttpClient>>();
  return async (url, body, { timeoutMs, signal }) => {
    const { origin, pathname } = new URL(url);
    let client = clients.get(origin);
    if (client === undefined) clients.set(origin, (client = lifetime.use(createHttpClient({ baseUrl: origin, http1Only: true }))));
    const response = await client.request({
      method: "POST",
      path: pathname,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = Buffer.from(await response.readAll()).toString("utf8");
    if (response.status !== 200) throw new Error(`failed POST at ${url}: status ${response.status}`);
    return JSON.parse(text) as unknown;
  };
}

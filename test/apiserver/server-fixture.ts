import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "#base/log.ts";
import { Lifetime } from "#base/lifetime.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { openWorld } from "#base/os/world.ts";
import type { ApiServerFlags } from "#cmd/api-server-component.ts";
import { loopbackFlags } from "#cmd/api-server-component.ts";
import { type RunningServer, startServer } from "#cmd/server.ts";

/** An API server of its own, on loopback, with nothing beside it. */
export interface TestServer extends AsyncDisposable {
  readonly running: RunningServer;
  readonly port: number;
  readonly token: string;
  /** Its data. */
  readonly directory: string;
  /** Stops the server and starts it again on the same data. */
  restart(): Promise<void>;
  /** Stops the server as a signal does. */
  stop(): Promise<void>;
}

export interface TestServerOptions {
  readonly storage?: "durable" | "memory";
  readonly disableAdmissionPlugins?: readonly string[];
  /** As `--feature-gates`. */
  readonly featureGates?: string;
  /** Further flags. */
  readonly flags?: Partial<ApiServerFlags>;
  /** As `--runtime-config`. */
  readonly runtimeConfig?: string;
}

const token = "benchtoken";

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-apiserver-"));
  const tokenFile = join(directory, "tokens.csv");
  await writeFile(tokenFile, `${token},admin,admin-uid,system:masters\n`);
  let lifetime = new Lifetime("test");
  let port = 0;
  const start = async (): Promise<RunningServer> => {
    lifetime = new Lifetime("test");
    return startServer(
      openWorld({ log: silentLogger }),
      {
        dataDirectory: directory,
        components: new Set(["apiserver"]),
        storage: options.storage ?? "memory",
        apiServer: {
          ...loopbackFlags,
          securePort: port,
          tokenAuthFile: tokenFile,
          disableAdmissionPlugins: options.disableAdmissionPlugins ?? ["ServiceAccount"],
          // The range of the server that was recorded.
          serviceClusterIpRange: "10.97.0.0/16",
          runtimeConfig: options.runtimeConfig ?? "",
          ...options.flags,
        },
        advertiseAddress: "192.0.2.2",
        // Of the server that was recorded, too.
        hostName: "vm",
        peerAddress: "192.0.2.2:16443",
        featureGates: options.featureGates ?? "",
      },
      lifetime,
    );
  };
  let running = await start().catch(async (error: unknown) => {
    await lifetime.end();
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  port = running.api.http.port;
  return {
    get running() {
      return running;
    },
    port,
    token,
    directory,
    async restart() {
      await lifetime.end();
      running = await start();
    },
    stop: () => lifetime.end(),
    async [Symbol.asyncDispose]() {
      await lifetime.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** Asks as the administrator. */
export async function get(server: TestServer, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  await using client = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true } });
  const authorization = `Bearer ${server.token}`;
  const response = await client.request({ method: "GET", path, headers: { authorization, ...headers } });
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.readAll()) };
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpHandler } from "#base/http.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { serveHttps } from "#base/os/http.ts";
import { openWorld } from "#base/os/world.ts";
import { type Client, createClient } from "#client/client.ts";
import { createHttpTransport } from "#client/http-transport.ts";
import { loopbackFlags } from "#cmd/api-server-component.ts";
import { startServer } from "#cmd/server.ts";
import { openLeaf, openPki, type Pki } from "#cmd/pki.ts";

export interface TestServer extends AsyncDisposable {
  /** Over HTTPS, as any client. */
  readonly client: Client;
  /** As components of the server's process. */
  readonly loopback: Client;
  readonly url: string;
  readonly pki: Pki;
  /** Starts an HTTPS server on loopback under the cluster's authority; returns its port. */
  serve(onRequest: HttpHandler): Promise<number>;
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; headers: object; text: string }>;
}

/** An API server alone, in memory, on a port of its own. */
export async function startTestServer(): Promise<TestServer> {
  const dataDirectory = await mkdtemp(join(tmpdir(), "kubets-extensions-"));
  const world = openWorld({ log: silentLogger });
  const lifetime = new Lifetime("test");
  const { api, pki, url } = await startServer(
    world,
    {
      dataDirectory,
      components: new Set(["apiserver"]),
      storage: "memory",
      advertiseAddress: "127.0.0.1",
      featureGates: "",
      apiServer: { ...loopbackFlags, disableAdmissionPlugins: ["ServiceAccount"] },
    },
    lifetime,
  ).catch(async (error: unknown) => {
    await lifetime.end();
    throw error;
  });
  const pair = await openLeaf(world, await openPki(world, dataDirectory), {
    file: "test-admin",
    authority: pki.ca,
    commonName: "admin",
    organizations: ["system:masters"],
    usages: ["client auth"],
  });
  const http = createHttpClient({ baseUrl: url, tls: { ca: pki.caPem, ...pair } });
  lifetime.use(http);
  const leaf = await openLeaf(world, pki, {
    file: "test-extension",
    authority: pki.ca,
    commonName: "extension",
    usages: ["server auth"],
    dnsNames: ["localhost", "ext.default.svc"],
    ipAddresses: ["127.0.0.1"],
  });
  return {
    url,
    pki,
    loopback: api.server.loopback,
    client: createClient({ transport: createHttpTransport({ http, clock: world.clock }), userAgent: "test" }),
    async serve(onRequest) {
      const server = await serveHttps({
        listen: { host: "127.0.0.1", port: 0 },
        credentials: { ...leaf, ca: pki.frontProxyCaPem },
        onRequest,
        log: silentLogger,
      });
      lifetime.use(server);
      return server.port;
    },
    async get(path, headers = {}) {
      const response = await http.request({ method: "GET", path, headers });
      const text = Buffer.from(await response.readAll()).toString("utf8");
      return { status: response.status, headers: response.headers, text };
    },
    async [Symbol.asyncDispose]() {
      await lifetime[Symbol.asyncDispose]();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

import { after, before, describe, test } from "node:test";
import { createHttpClient } from "#base/os/http-client.ts";
import type { HttpClient } from "#base/http.ts";
import { startTestServer, type TestServer } from "../apiserver/server-fixture.ts";
import { type Api, createApi, type Objects } from "./api.ts";
import { type EncodingName, encodings } from "./encoding.ts";

/** What a scenario works with: a server, and a namespace of its own. */
export interface World {
  readonly server: TestServer;
  readonly api: Api;
  readonly namespace: string;
  /** A word that no other scenario has. */
  readonly unique: string;
  /** A kind in the scenario's namespace. */
  own(apiVersion: string, plural: string): Objects;
  /** A kind across namespaces, or a cluster-scoped one. */
  all(apiVersion: string, plural: string): Objects;
}

export type Script = (world: World) => Promise<void>;

const scenarioMsMax = 60_000;

let server: TestServer;
let http: HttpClient;
let count = 0;

/** `SCRIPT_STORAGE=durable` runs the scenarios on the store on disk. */
const storage = process.env["SCRIPT_STORAGE"] === "durable" ? "durable" : "memory";

// All scenarios of a file share one server.
before(async () => {
  server = await startTestServer({ storage });
  http = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
});

after(async () => {
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Scenarios of one area. Its name and a scenario's title are the conformance test's, but for ` [Conformance]`. */
export function area(name: string, scenarios: () => void): void {
  void describe(name, scenarios);
}

/** Runs in each encoding; name the one where upstream's test speaks only that. */
export function scenario(title: string, script: Script, names: readonly EncodingName[] = ["json", "protobuf"]): void {
  for (const name of names) {
    void test(`${title} (${name})`, { timeout: scenarioMsMax }, async () => {
      const api = createApi(http, encodings[name]);
      const unique = `scenario-${++count}`;
      const namespace = `${unique}-ns`;
      await api.objects("v1", "namespaces", "").create({ metadata: { name: namespace } });
      await script({
        server,
        api,
        namespace,
        unique,
        own: (apiVersion, plural) => api.objects(apiVersion, plural, namespace),
        all: (apiVersion, plural) => api.objects(apiVersion, plural, ""),
      });
    });
  }
}

import { serveHttps } from "#base/os/http.ts";
import type { HttpServer } from "#base/http.ts";
import type { World } from "#base/world.ts";
import type { FeatureReader } from "#apimachinery/resource.ts";
import type { Store } from "#store/store.ts";
import type { Authenticator } from "#apiserver/authentication/authenticator.ts";
import { createCertificateAuthenticator } from "#apiserver/authentication/client-certificate.ts";
import { createTokenFileAuthenticator } from "#apiserver/authentication/token-file.ts";
import { createDiscovery } from "#apiserver/discovery/discovery.ts";
import { discoveryPaths } from "#apiserver/discovery/paths.ts";
import { healthPaths } from "#apiserver/http/health.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import { parseCertificates } from "#wire/x509.ts";
import { openLeaf, type Pki } from "./pki.ts";

export interface ApiServerFlags {
  readonly bindAddress: string;
  readonly securePort: number;
  readonly tokenAuthFile?: string;
  readonly anonymousAuth: boolean;
  readonly disableAdmissionPlugins: readonly string[];
  readonly enableAdmissionPlugins: readonly string[];
  readonly serviceClusterIpRange: string;
  /** Names and addresses of the serving certificate beyond the standard ones. */
  readonly extraNames: readonly string[];
}

export interface ApiServerComponent extends AsyncDisposable {
  readonly server: ApiServer;
  readonly http: HttpServer;
}

/** Starts the API server on a store: its port answers when this resolves. */
export async function startApiServer(
  world: World,
  spec: { readonly store: Store; readonly pki: Pki; readonly features: FeatureReader; readonly flags: ApiServerFlags },
): Promise<ApiServerComponent> {
  const { pki, flags } = spec;
  const { clock, random } = world;
  const log = world.log.named("apiserver");
  const server = await createApiServer({
    store: spec.store,
    clock,
    random,
    log,
    features: spec.features,
    authenticators: await authenticatorsOf(world, pki, flags),
    anonymousAllowed: flags.anonymousAuth,
    authorizers: [],
    admission: () => [],
    paths: (parts) => [
      healthPaths({ healthz: [], livez: [], readyz: [] }),
      discoveryPaths(createDiscovery(parts.table)),
    ],
    connects: new Map(),
    filters: [],
  });
  const credentials = await openLeaf(world, pki, {
    file: "apiserver",
    authority: pki.ca,
    commonName: "kube-apiserver",
    usages: ["server auth"],
    dnsNames: [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
      "localhost",
    ],
    ipAddresses: ["127.0.0.1", ...flags.extraNames],
  });
  const http = await serveHttps({
    listen: { host: flags.bindAddress, port: flags.securePort },
    credentials: { ...credentials, ca: pki.caPem + pki.frontProxyCaPem },
    onRequest: server.handle,
    log,
  });
  return {
    server,
    http,
    async [Symbol.asyncDispose]() {
      await http.close(2000);
      server[Symbol.dispose]();
    },
  };
}

async function authenticatorsOf(world: World, pki: Pki, flags: ApiServerFlags): Promise<Authenticator[]> {
  const ways = [
    createCertificateAuthenticator({ roots: parseCertificates(pki.caPem), clock: world.clock }),
  ];
  if (flags.tokenAuthFile !== undefined) {
    ways.push(createTokenFileAuthenticator(await world.files.readText(flags.tokenAuthFile)));
  }
  return ways;
}

import { serveHttps } from "#base/os/http.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import type { HttpServer } from "#base/http.ts";
import type { Logger } from "#base/log.ts";
import type { World } from "#base/world.ts";
import type { FeatureReader } from "#apimachinery/resource.ts";
import type { EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Secret } from "#api/core/v1/secret.ts";
import type { Service } from "#api/core/v1/service.ts";
import type { ServiceAccount } from "#api/core/v1/service-account.ts";
import { resources } from "#api/registry.ts";
import type { Store } from "#store/store.ts";
import { admissionPlugins } from "#apiserver/admission/plugins.ts";
import type { Authenticator } from "#apiserver/authentication/authenticator.ts";
import { createCertificateAuthenticator } from "#apiserver/authentication/client-certificate.ts";
import { createTokenReviewer } from "#apiserver/authentication/token-reviewer.ts";
import type { ComponentHealth } from "#apiserver/handlers/component-status.ts";
import { issuerPaths } from "#apiserver/http/issuer-paths.ts";
import { legacyTokenUse } from "#apiserver/authentication/legacy-token-use.ts";
import { createRequestHeaderAuthenticator } from "#apiserver/authentication/request-header.ts";
import { createServiceAccountAuthenticator, type ServiceAccountTokenOptions } from "#apiserver/authentication/service-account.ts";
import { createTokenFileAuthenticator } from "#apiserver/authentication/token-file.ts";
import { createKubeletClients } from "#apiserver/connect/kubelet-client.ts";
import type { ProxyTargets } from "#apiserver/connect/proxies.ts";
import { connectHandlers } from "#apiserver/connect/registry.ts";
import { createDiscovery } from "#apiserver/discovery/discovery.ts";
import { discoveryPaths } from "#apiserver/discovery/paths.ts";
import { createDrain, type Drain } from "#apiserver/http/drain.ts";
import { healthPaths } from "#apiserver/http/health.ts";
import type { PathHandler } from "#apiserver/http/frontend.ts";
import { inFlightDefaults, type InFlightLimits, maxInFlight } from "#apiserver/flow-control/max-in-flight.ts";
import { requestDeadline, requestMsDefault } from "#apiserver/http/request-deadline.ts";
import { requestMetrics } from "#apiserver/metrics/request-metrics.ts";
import { metricsPath } from "#apiserver/metrics/server-metrics.ts";
import { compactionIntervalMsDefault, startCompactor } from "#store/compactor.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import { type AdmissionSetting, openAdmission } from "./admission.ts";
import { type AuditFlags, openAudit } from "./audit.ts";
import { addressAt } from "./addresses.ts";
import { componentHealth } from "./component-health.ts";
import { type EncryptionFlags, openEncryptionOf } from "./encryption-flags.ts";
import { featureDefaults } from "./feature-defaults.ts";
import { type FeatureStage, featureStage } from "./feature-stages.ts";
import { indexPath } from "#apiserver/http/index-path.ts";
import { standardChecks } from "#apiserver/http/standard-checks.ts";
import { servedKinds } from "#apiserver/runtime-config.ts";
import { type ApiServer, type ApiServerOptions, createApiServer, type ServerParts } from "#apiserver/server.ts";
import { createSigningKey, createVerificationKey, signJwt } from "#wire/jwt.ts";
import { createWebhookClients, type WebhookClients } from "#apiserver/webhooks/webhook-client.ts";
import { openApiPaths } from "#apiserver/openapi-paths.ts";
import { parseCertificates } from "#wire/x509.ts";
import { type KeyPair, openLeaf, type Pki } from "./pki.ts";
import { stopServing } from "./stop-serving.ts";

export interface ApiServerFlags {
  readonly bindAddress: string;
  readonly securePort: number;
  readonly tokenAuthFile?: string;
  readonly anonymousAuth: boolean;
  readonly disableAdmissionPlugins: readonly string[];
  readonly enableAdmissionPlugins: readonly string[];
  /** An AdmissionConfiguration of apiserver.config.k8s.io/v1. */
  readonly admissionConfigFile?: string;
  readonly serviceClusterIpRange: string;
  readonly audit?: AuditFlags;
  /** As `--runtime-config`: which versions of built-in kinds are served. @default the stable ones */
  readonly runtimeConfig?: string;
  /** Whether containers may be privileged. @default false */
  readonly allowPrivileged?: boolean;
  /** Whether requests queue by priority and in fair turns. @default true */
  readonly priorityAndFairness?: boolean;
  /** @default 400 and 200 */
  readonly inFlight?: InFlightLimits;
  /** Longest time for an answer. @default a minute */
  readonly requestTimeoutMs?: number;
  /** How long the server goes on after it is told to stop, while it already calls itself not ready. @default 0 */
  readonly shutdownDelayMs?: number;
  /** @default 5 minutes; 0 for never */
  readonly compactionIntervalMs?: number;
  /** How long Events are kept. @default an hour */
  readonly eventTtlSeconds?: number;
  /** How values are encrypted in the store; absent where they are not. */
  readonly encryption?: EncryptionFlags;
  /** Names and addresses of the serving certificate beyond the standard ones. */
  readonly extraNames: readonly string[];
}

/** A server for this machine alone, on any free port: of tests and benches, and of clusters within a process. */
export const loopbackFlags: ApiServerFlags = {
  bindAddress: "127.0.0.1",
  securePort: 0,
  anonymousAuth: true,
  disableAdmissionPlugins: [],
  enableAdmissionPlugins: [],
  serviceClusterIpRange: "10.96.0.0/16",
  extraNames: [],
};

export interface ApiServerComponent extends AsyncDisposable {
  readonly server: ApiServer;
  readonly http: HttpServer;
  /** The objects that every cluster has are in place: the server may call itself ready. */
  markBootstrapped(): void;
}

interface ApiServerSpec {
  readonly store: Store;
  readonly pki: Pki;
  readonly features: FeatureReader;
  readonly metrics: MetricRegistry;
  readonly flags: ApiServerFlags;
  /** Of components of the same process. */
  readonly paths?: readonly PathHandler[];
  /** Components that run in the same process. */
  readonly components?: ReadonlySet<string>;
  /** Host that clients are told. */
  readonly externalHost: string;
}

/** Starts the API server on a store: its port answers when this resolves. */
export async function startApiServer(world: World, spec: ApiServerSpec): Promise<ApiServerComponent> {
  const { store, pki, flags } = spec;
  const { clock } = world;
  const log = world.log.named("apiserver");
  const state = { bootstrapped: false, stopping: false };
  const encryption = await openEncryptionOf(world, flags.encryption, spec.metrics);
  const serverState = { clock, bootstrapped: () => state.bootstrapped, stopping: () => state.stopping };
  const checks = standardChecks(store, serverState, encryption?.checks);
  const drain = createDrain();
  const bound: { http?: HttpServer } = {};
  const address = (): string => `${spec.externalHost}:${bound.http?.port ?? flags.securePort}`;
  const admission = await openAdmission(world, flags);
  const made: { server?: ApiServer } = {};
  const noteUse = legacyTokenUse(clock, log, () => made.server?.loopback);
  const health = componentHealth(world, { store, client: () => made.server?.loopback, here: spec.components ?? new Set() });
  const prepared = { log, checks, drain, address, admission, noteUse, health };
  const options = { ...(await serverOptions(world, spec, prepared)), ...(encryption && { encryption }) };
  const server = (made.server = await createApiServer(options));
  const credentials = await servingPair(world, pki, flags);
  const http = await serveHttps({
    listen: { host: flags.bindAddress, port: flags.securePort },
    credentials: { ...credentials, ca: pki.caPem + pki.frontProxyCaPem },
    onRequest: server.handle,
    log,
  });
  bound.http = http;
  const intervalMs = flags.compactionIntervalMs ?? compactionIntervalMsDefault;
  const compactor = intervalMs > 0 ? startCompactor({ store, clock, log, intervalMs }) : undefined;
  return {
    server,
    http,
    markBootstrapped() {
      state.bootstrapped = true;
    },
    async [Symbol.asyncDispose]() {
      state.stopping = true;
      await clock.sleep(flags.shutdownDelayMs ?? 0);
      compactor?.[Symbol.dispose]();
      await stopServing({ clock, http, table: server.table, drain, requestMs: flags.requestTimeoutMs ?? requestMsDefault });
      server[Symbol.dispose]();
      encryption?.[Symbol.dispose]();
      await admission.imagePolicy?.http[Symbol.asyncDispose]();
      await options.audit?.[Symbol.asyncDispose]();
    },
  };
}

interface Prepared {
  readonly log: Logger;
  readonly checks: ReturnType<typeof standardChecks>;
  readonly drain: Drain;
  /** `HOST:PORT` that clients are told. */
  readonly address: () => string;
  readonly admission: AdmissionSetting;
  readonly noteUse: ReturnType<typeof legacyTokenUse>;
  readonly health: ComponentHealth;
}

async function serverOptions(
  world: World,
  { store, pki, features, metrics: registry, flags, paths = [] }: ApiServerSpec,
  { log, checks, drain, address, admission, noteUse, health }: Prepared,
): Promise<ApiServerOptions> {
  const { clock, random } = world;
  const { priorityAndFairness: fair = true, inFlight: limits = inFlightDefaults } = flags;
  const { requestTimeoutMs: requestMs = requestMsDefault } = flags;
  const audit = await openAudit(world, flags.audit ?? {}, registry);
  const diskBytes = (): number | undefined =>
    "diskBytes" in store && typeof store.diskBytes === "number" ? store.diskBytes : undefined;
  const metrics = { registry, diskBytes, features: gatesOf(features) };
  const tokenFile =
    flags.tokenAuthFile === undefined ? undefined : await world.files.readText(flags.tokenAuthFile);
  const { kubeletPair, frontProxyPair } = await clientPairs(world, pki);
  const signingKey = createSigningKey(pki.serviceAccountKey);
  const tokensOf = (parts: ServerParts): ServiceAccountTokenOptions => ({ ...tokenOptions(world, pki, parts), noteUse });
  return {
    store,
    clock,
    random,
    log,
    features,
    isServed: servedKinds(flags.runtimeConfig ?? "", resources),
    allowPrivileged: flags.allowPrivileged === true,
    authenticators: (parts) => authenticatorsOf(world, { tokenFile, tokens: tokensOf(parts), pki }),
    tokens: {
      issuer,
      audiences: [issuer],
      sign: (claims) => signJwt(claims, signingKey),
    },
    componentHealth: health,
    anonymousAllowed: flags.anonymousAuth,
    authorizers: [],
    admission: (parts, ways) => admissionPlugins(parts, { ...ways, ...admission, random }),
    webhooks: (parts) => webhookClients(world, parts),
    openRemote: remoteOpener(frontProxyPair),
    paths: (parts) => [
      ...paths,
      healthPaths(checks, registry),
      metricsPath(parts.table, metrics),
      indexPath(parts.table, checks),
      discoveryPaths(createDiscovery(parts.table, parts.remotes), address),
      openApiPaths(parts.table, parts.remotes, { clock, features }),
      issuerPaths(issuer, [createVerificationKey(pki.serviceAccountKey)], address),
    ],
    tokenReviewer: (parts, ways) => createTokenReviewer(ways, tokensOf(parts)),
    serviceCidr: serviceCidrOf(flags),
    ...(flags.eventTtlSeconds !== undefined && { eventTtlSeconds: flags.eventTtlSeconds }),
    connects: (parts) => connectHandlers(proxyTargets(world, { pki, kubeletPair, parts })),
    ...(audit && { audit }),
    registry,
    filters: ({ table }) => [
      drain.filter,
      requestMetrics(registry, clock, table),
      requestDeadline(clock, requestMs),
      ...(fair ? [] : [maxInFlight(limits)]),
    ],
    ...(fair && { flowControl: { requestMs, seatsTotal: limits.readOnlyMax + limits.mutatingMax } }),
  };
}

/** The range that ClusterIPs come from: the first of the flag. */
function serviceCidrOf({ serviceClusterIpRange }: ApiServerFlags): string {
  return serviceClusterIpRange.split(",")[0] ?? "";
}

function gatesOf(features: FeatureReader): { name: string; stage: FeatureStage; enabled: boolean }[] {
  return Object.keys(featureDefaults).map((name) => ({
    name,
    stage: featureStage(name),
    enabled: features.enabled(name),
  }));
}

/** What the API server shows to kubelets and to aggregated servers. */
async function clientPairs(world: World, pki: Pki): Promise<{ kubeletPair: KeyPair; frontProxyPair: KeyPair }> {
  const kubeletPair = await openLeaf(world, pki, {
    file: "apiserver-kubelet-client",
    authority: pki.ca,
    commonName: "kube-apiserver-kubelet-client",
    organizations: ["system:masters"],
    usages: ["client auth"],
  });
  const frontProxyPair = await openLeaf(world, pki, {
    file: "front-proxy-client",
    authority: pki.frontProxyCa,
    commonName: "front-proxy-client",
    usages: ["client auth"],
  });
  return { kubeletPair, frontProxyPair };
}

/** What the API server shows to its clients. */
function servingPair(world: World, pki: Pki, flags: ApiServerFlags): Promise<KeyPair> {
  return openLeaf(world, pki, {
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
    ipAddresses: ["127.0.0.1", addressAt(serviceCidrOf(flags), 1), ...flags.extraNames],
  });
}

/** Ways to aggregated servers. */
function remoteOpener({ cert, key }: KeyPair): ApiServerOptions["openRemote"] {
  return ({ baseUrl, serverName, ca, insecure }) =>
    createHttpClient({
      baseUrl,
      http1Only: true,
      tls: { cert, key, serverName, insecure, ...(ca !== undefined && { ca }) },
    });
}

/** Ways to webhooks, which are Services or URLs. */
function webhookClients({ clock, random }: World, parts: ServerParts): WebhookClients {
  return createWebhookClients({
    clock,
    random,
    services: parts.live<Service>("", "v1", "services"),
    slices: parts.live<EndpointSlice>("discovery.k8s.io", "v1", "endpointslices"),
    open: ({ baseUrl, ca, serverName }) =>
      createHttpClient({
        baseUrl,
        http1Only: true,
        tls: { ...(ca && { ca }), ...(serverName && { serverName }) },
      }),
  });
}

/** Ways to kubelets, pods and Services. */
function proxyTargets(
  world: World,
  { pki, kubeletPair, parts }: { pki: Pki; kubeletPair: KeyPair; parts: ServerParts },
): ProxyTargets {
  return {
    kubelets: createKubeletClients({
      nodes: parts.live<Node>("", "v1", "nodes"),
      open: ({ host, port }) =>
        createHttpClient({
          baseUrl: `https://${host}:${port}`,
          tls: { ca: pki.caPem, cert: kubeletPair.cert, key: kubeletPair.key },
        }),
    }),
    slices: parts.live<EndpointSlice>("discovery.k8s.io", "v1", "endpointslices"),
    random: world.random,
    open: ({ scheme, host, port }) =>
      createHttpClient({
        baseUrl: `${scheme}://${host}:${port}`,
        http1Only: true,
        keepAlive: false,
        tls: { insecure: true },
      }),
  };
}

/** Issuer of service account tokens, and the API server's own audience. */
const issuer = "https://kubernetes.default.svc";

function tokenOptions(world: World, pki: Pki, parts: ServerParts): ServiceAccountTokenOptions {
  const objects = {
    serviceAccounts: parts.live<ServiceAccount>("", "v1", "serviceaccounts"),
    pods: parts.live<Pod>("", "v1", "pods"),
    secrets: parts.live<Secret>("", "v1", "secrets"),
    nodes: parts.live<Node>("", "v1", "nodes"),
  };
  return {
    issuer,
    audiences: [issuer],
    keys: [createVerificationKey(pki.serviceAccountKey)],
    clock: world.clock,
    objects: () => objects,
  };
}

function authenticatorsOf(
  world: World,
  spec: { pki: Pki; tokenFile: string | undefined; tokens: ServiceAccountTokenOptions },
): Authenticator[] {
  const { pki, tokenFile, tokens } = spec;
  return [
    createRequestHeaderAuthenticator({
      roots: parseCertificates(pki.frontProxyCaPem),
      clock: world.clock,
    }),
    createCertificateAuthenticator({ roots: parseCertificates(pki.caPem), clock: world.clock }),
    createServiceAccountAuthenticator(tokens),
    ...(tokenFile === undefined ? [] : [createTokenFileAuthenticator(tokenFile)]),
  ];
}

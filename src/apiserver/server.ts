import { kubernetesRelease } from "#apimachinery/release.ts";
import type { EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import type { Service } from "#api/core/v1/service.ts";
import type { FlowSchema } from "#api/flowcontrol/v1/flow-schema.ts";
import type { PriorityLevelConfiguration } from "#api/flowcontrol/v1/priority-level-configuration.ts";
import type { APIService } from "#api/apiregistration/v1/api-service.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import type { Logger } from "#base/log.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import type { Random } from "#base/random.ts";
import { otherKinds, resources } from "#api/registry.ts";
import type { IPAddress } from "#api/networking/v1/ip-address.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolume } from "#api/core/v1/persistent-volume.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { FeatureReader } from "#apimachinery/resource.ts";
import { assert } from "#base/assert.ts";
import { type Client, createClient } from "#client/client.ts";
import type { Transport } from "#client/transport.ts";
import type { Store } from "#store/store.ts";
import { type AdmissionPlugin, createAdmission } from "./admission/admission.ts";
import { type Aggregator, createAggregator } from "./aggregation/aggregator.ts";
import { registerLocalServices } from "./aggregation/local-services.ts";
import type { OpenRemote } from "./aggregation/remote-service.ts";
import { ApiTable } from "./api-table.ts";
import type { AuditLog } from "./audit/audit-log.ts";
import type { Authenticator } from "./authentication/authenticator.ts";
import { createImpersonator } from "./authentication/impersonation.ts";
import { admitConnects } from "./connect/admit-connect.ts";
import {
  type Authorizer,
  mastersAuthorizer,
  unionAuthorizer,
} from "./authorization/authorizer.ts";
import { createNodeAuthorizer } from "./authorization/node.ts";
import { clusterRoles } from "./bootstrap/cluster-roles.ts";
import { createRbac, type Rbac, type RbacSources } from "./authorization/rbac.ts";
import type { Call } from "./call.ts";
import { dispatch } from "./dispatch.ts";
import type { TokenReviewer } from "./authentication/token-reviewer.ts";
import { createExtensions, type Extensions } from "./extensions/extensions.ts";
import { createFlowControl, type FlowControl, type FlowControlOptions } from "./flow-control/flow-control.ts";
import type { Encryption } from "./encryption/encryption.ts";
import type { ComponentHealth } from "./handlers/component-status.ts";
import type { HandlerContext } from "./handlers/handler.ts";
import { handlers } from "./handlers/registry.ts";
import type { TokenIssuer } from "./handlers/token-request.ts";
import {
  type ConnectHandler,
  createFrontend,
  type PathHandler,
  type RequestFilter,
} from "./http/frontend.ts";
import { createInProcessTransport } from "./in-process-transport.ts";
import { LiveSets } from "./live-sets.ts";
import { rawCall } from "./http/raw-call.ts";
import { admissionMeters } from "./metrics/admission-meters.ts";
import { watchMeters } from "./metrics/watch-meters.ts";
import type { RestDeps } from "./rest/rest.ts";
import { eventTtlSecondsDefault, writeHooks } from "./rest/write-hooks.ts";
import type { ServedKinds } from "./runtime-config.ts";
import { repairAddresses } from "./services/repair-addresses.ts";
import { authenticateTwice, authorizeTwice } from "./second-look.ts";
import type { LiveSet } from "./storage/live-set.ts";
import { storeFailure } from "./storage/storage.ts";
import type { WebhookClients } from "./webhooks/webhook-client.ts";

export interface ApiServerOptions {
  readonly store: Store;
  /** How values are encrypted; absent where they are stored as they are. */
  readonly encryption?: Encryption;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly features: FeatureReader;
  readonly isServed: ServedKinds;
  readonly allowPrivileged: boolean;
  readonly authenticators: (server: ServerParts) => readonly Authenticator[];
  readonly anonymousAllowed: boolean;
  /** Further authorizers, asked before RBAC. */
  readonly authorizers: readonly Authorizer[];
  readonly admission: (server: ServerParts, ways: AdmissionWays) => readonly AdmissionPlugin[];
  /** A way to an extension API server. */
  readonly openRemote: OpenRemote;
  /** Ways to webhooks, of admission and of conversion. */
  readonly webhooks: (server: ServerParts) => WebhookClients;
  readonly paths: (server: ServerParts) => readonly PathHandler[];
  readonly tokens: TokenIssuer;
  /** How the parts of the control plane are. */
  readonly componentHealth: ComponentHealth;
  readonly tokenReviewer: (server: ServerParts, ways: readonly Authenticator[]) => TokenReviewer;
  readonly serviceCidr: string;
  /** How long Events are kept. @default an hour */
  readonly eventTtlSeconds?: number;
  readonly connects: (server: ServerParts) => ReadonlyMap<string, ConnectHandler>;
  readonly registry: MetricRegistry;
  readonly filters: (server: ServerParts) => readonly RequestFilter[];
  readonly audit?: AuditLog;
  /** Priority and fairness; absent when it is off. */
  readonly flowControl?: Pick<FlowControlOptions, "seatsTotal" | "requestMs">;
}

/** Whom admission plugins may call. */
export interface AdmissionWays {
  readonly webhooks: WebhookClients;
  /** The server itself; not before it is put together. */
  readonly client: () => Client;
}

/** What plugins and path handlers are built from. */
export interface ServerParts {
  readonly table: ApiTable;
  readonly rbac: Rbac;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly features: FeatureReader;
  readonly registry: MetricRegistry;
  /** What other servers serve. */
  readonly remotes: Pick<Aggregator, "generation" | "versions" | "openApi">;
  /** A kind kept in memory, current with the store. Started before the server is ready. */
  live<T extends object>(group: string, version: string, plural: string): LiveSet<T>;
}

export interface ApiServer extends Disposable {
  readonly table: ApiTable;
  /** For components of this process. */
  readonly transport: Transport;
  /** Acts as the server itself. */
  readonly loopback: Client;
  readonly handle: (exchange: HttpExchange) => Promise<void>;
  /** Resolves when what the server keeps true by itself is written. */
  settled(): Promise<void>;
}

/** Puts the server together and loads what it keeps in memory. Serves nothing by itself. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, random, log, features, registry, allowPrivileged } = options;
  const table = tableOf(options);
  const sets = new LiveSets(table, clock);
  const live: ServerParts["live"] = (group, version, plural) => sets.of(group, version, plural);
  const rbac = createRbac(rbacSources(live));
  const union = unionAuthorizer([mastersAuthorizer, nodeAuthorizer(live), ...options.authorizers, rbac]);
  const authorizer = authorizeTwice(union, store);
  let transport: Transport | undefined;
  const loopback = (): Client => {
    assert(transport !== undefined, "the server is not put together yet");
    return createClient({ transport, userAgent: `kube-apiserver/${kubernetesRelease}` });
  };
  const aggregator = aggregatorOf(live, loopback, options);
  const parts: ServerParts = { table, rbac, authorizer, clock, features, registry, live, remotes: aggregator };
  const webhooks = options.webhooks(parts);
  const extensions = createExtensions(parts, { client: loopback, log, random, webhooks });
  const rest = restOf(parts, options, { webhooks, client: loopback, hooks: extensions.hooks });
  const flowControl = flowControlOf(parts, loopback, options);
  const paths = [...options.paths(parts), ...(flowControl === undefined ? [] : [flowControl.dumps])];
  const authenticators = options.authenticators(parts).map((way) => authenticateTwice(way, store));
  const connects = admitConnects(options.connects(parts), rest.admission);
  const reviewToken = options.tokenReviewer(parts, authenticators);
  const { tokens, componentHealth } = options;
  const dispatchCall = dispatcherOf({ table, rest, authorizer, tokens, componentHealth, reviewToken }, store);
  await sets.start();

  const serving = { table, authorizer, clock, random, features, allowPrivileged, dispatch: dispatchCall };
  transport = createInProcessTransport({
    ...serving,
    audit: options.audit,
    remote: (group, version, user) => aggregator.transport(group, version, user),
    raw: (request, user) => rawCall(paths, request, user),
  });
  const upkeep = startUpkeep(parts, options, { sets, extensions, flowControl, aggregator, client: loopback });
  return {
    table,
    transport,
    loopback: loopback(),
    handle: createFrontend({
      ...serving,
      authenticators,
      anonymousAllowed: options.anonymousAllowed,
      log,
      paths,
      connects,
      aggregate: (request) => aggregator.handle(request),
      filters: [...options.filters(parts), ...(flowControl === undefined ? [] : [flowControl.filter])],
      ...(options.audit && { audit: options.audit }),
      impersonate: createImpersonator(authorizer, features),
      watches: watchMeters(registry),
    }),
    settled: async () => flowControl?.settled(),
    [Symbol.dispose]: () => upkeep.dispose(),
  };
}

/** What is served of the kinds that are compiled in. */
function tableOf({ store, clock, encryption, features, isServed }: ApiServerOptions): ApiTable {
  const table = new ApiTable(store, clock, encryption);
  const enabled = resources.filter((resource) => isEnabled(resource.featureGate, features));
  table.add(enabled.filter(isServed), enabled);
  for (const other of otherKinds) table.addKind(other);
  return table;
}

function aggregatorOf(
  live: ServerParts["live"],
  client: () => Client,
  { random, clock, log, openRemote }: ApiServerOptions,
): Aggregator {
  return createAggregator({
    registrations: live<APIService>("apiregistration.k8s.io", "v1", "apiservices"),
    endpoints: {
      services: live<Service>("", "v1", "services"),
      slices: live<EndpointSlice>("discovery.k8s.io", "v1", "endpointslices"),
      random,
    },
    open: openRemote,
    client,
    clock,
    log,
  });
}

function restOf(
  parts: ServerParts,
  options: ApiServerOptions,
  { hooks, ...ways }: AdmissionWays & { readonly hooks: Extensions["hooks"] },
): RestDeps {
  const { store, clock, random, serviceCidr, eventTtlSeconds = eventTtlSecondsDefault } = options;
  const meters = admissionMeters(parts.registry);
  const admission = createAdmission(options.admission(parts, ways), { clock, meters });
  const written = writeHooks(parts, { client: ways.client, store, random, serviceCidr, eventTtlSeconds });
  return { admission, kinds: parts.table, random, hooks: new Map([...written, ...hooks]) };
}

/** Carries out calls of users who may make them. */
function dispatcherOf(parts: Omit<HandlerContext, "dispatch">, store: Store): HandlerContext["dispatch"] {
  const context: HandlerContext = {
    ...parts,
    dispatch: (endpoint, call) => dispatch(context, handlers, { endpoint, call }),
  };
  return async (endpoint, call) => {
    if (store.catchUp !== undefined && writeVerbs.has(call.verb)) await catchUp(store);
    return context.dispatch(endpoint, call);
  };
}

/** What admission and authorization know is as new as the request, although another server wrote it. */
async function catchUp(store: Store): Promise<void> {
  await store.catchUp?.().catch((error: unknown) => {
    throw storeFailure(error);
  });
}

interface Upkeep {
  readonly sets: LiveSets;
  readonly extensions: Extensions;
  readonly flowControl: FlowControl | undefined;
  readonly aggregator: Aggregator;
  readonly client: () => Client;
}

/** Begins what the server keeps true by itself, with calls to itself. */
function startUpkeep({ table, live }: ServerParts, options: ApiServerOptions, upkeep: Upkeep): DisposableStack {
  const { store, clock, log } = options;
  const { sets, extensions, flowControl, aggregator, client } = upkeep;
  extensions.start();
  const repair = repairAddresses({
    client,
    services: live<Service>("", "v1", "services"),
    addresses: live<IPAddress>("networking.k8s.io", "v1", "ipaddresses"),
    store,
    clock,
    log,
  });
  flowControl?.start();
  aggregator.start();
  const services = live<APIService>("apiregistration.k8s.io", "v1", "apiservices");
  const registrations = registerLocalServices({ table, services, client, log });
  const stack = new DisposableStack();
  for (const part of [sets, extensions, repair, aggregator, registrations, flowControl]) stack.use(part);
  return stack;
}

function flowControlOf(
  { table, live, registry }: ServerParts,
  client: () => Client,
  { clock, random, log, flowControl }: ApiServerOptions,
): FlowControl | undefined {
  if (flowControl === undefined) return undefined;
  const group = "flowcontrol.apiserver.k8s.io";
  const levels = live<PriorityLevelConfiguration>(group, "v1", "prioritylevelconfigurations");
  const schemas = live<FlowSchema>(group, "v1", "flowschemas");
  return createFlowControl({ ...flowControl, registry, table, levels, schemas, client, clock, random, log: log.named("flow-control") });
}

const writeVerbs = new Set<Call["verb"]>(["create", "update", "patch", "delete", "deletecollection"]);

function isEnabled(gate: string | undefined, features: FeatureReader): boolean {
  return gate === undefined || features.enabled(gate);
}

function rbacSources(live: ServerParts["live"]): RbacSources {
  const group = "rbac.authorization.k8s.io";
  return {
    roles: live(group, "v1", "roles"),
    clusterRoles: live(group, "v1", "clusterroles"),
    roleBindings: live(group, "v1", "rolebindings"),
    clusterRoleBindings: live(group, "v1", "clusterrolebindings"),
  };
}

function nodeAuthorizer(live: ServerParts["live"]): Authorizer {
  return createNodeAuthorizer({
    pods: live<Pod>("", "v1", "pods"),
    claims: live<PersistentVolumeClaim>("", "v1", "persistentvolumeclaims"),
    volumes: live<PersistentVolume>("", "v1", "persistentvolumes"),
    rules: clusterRoles.find(({ name }) => name === "system:node")?.rules ?? [],
  });
}

import { createMetricRegistry } from "#base/metrics.ts";
import { customResourceDefinitions } from "#api/apiextensions/v1/custom-resource-definition.ts";
import { subjectAccessReviews } from "#api/authorization/v1/subject-access-review.ts";
import { resources } from "#api/registry.ts";
import { createRequestHeaderAuthenticator } from "#apiserver/authentication/request-header.ts";
import type { Attributes, Authorizer } from "#apiserver/authorization/authorizer.ts";
import { createDiscovery } from "#apiserver/discovery/discovery.ts";
import { discoveryPaths } from "#apiserver/discovery/paths.ts";
import { openApiPaths } from "#apiserver/openapi-paths.ts";
import { servedKinds } from "#apiserver/runtime-config.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { silentLogger } from "#base/log.ts";
import { openWorld } from "#base/os/world.ts";
import type { Client } from "#client/client.ts";
import { featureDefaults } from "#cmd/feature-defaults.ts";
import { featureReader } from "#cmd/features.ts";
import { createMemoryStore } from "#store/memory.ts";
import { parseCertificates } from "#wire/x509.ts";

export const wardle = { group: "wardle.example.com", version: "v1alpha1", plural: "flunders", kind: "Flunder" } as const;

/** One question that the server put to the one in front of it, and the answer. */
export interface AccessReview {
  readonly user: string;
  readonly verb: string;
  readonly path: string;
  readonly allowed: boolean;
}

/** Asks the API server in front who may do what. Source: apiserver/plugin/pkg/authorizer/webhook. */
function delegatedAuthorizer(client: Client, reviews: AccessReview[]): Authorizer {
  return {
    async authorize(attributes) {
      const spec = { ...userOf(attributes), ...aboutOf(attributes) };
      const { status } = await client.resource(subjectAccessReviews).create({ metadata: {}, spec });
      const { allowed = false, denied = false, reason = "" } = status ?? {};
      const { user, verb, resource, path } = attributes;
      reviews.push({ user: user.name, verb, path: attributes.isResource ? resource : path, allowed });
      return { verdict: allowed ? "allow" : denied ? "deny" : "noOpinion", reason };
    },
  };
}

function userOf({ user }: Attributes) {
  const { name, uid, groups } = user;
  return { user: name, uid, groups: [...groups] };
}

function aboutOf({ isResource, verb, path, namespace, group, version, resource, subresource, name }: Attributes) {
  if (!isResource) return { nonResourceAttributes: { path, verb } };
  return { resourceAttributes: { namespace, verb, group, version, resource, subresource, name } };
}

const string = { type: "string" };
const schema = {
  type: "object",
  properties: { spec: { type: "object", properties: { reference: string } }, status: { type: "object" } },
};

const definition = {
  metadata: { name: `${wardle.plural}.${wardle.group}` },
  spec: {
    group: wardle.group,
    scope: "Namespaced",
    names: { plural: wardle.plural, singular: "flunder", kind: wardle.kind, listKind: "FlunderList" },
    versions: [{ name: wardle.version, served: true, storage: true, schema: { openAPIV3Schema: schema } }],
  },
};

export interface SampleApiServer extends Disposable {
  readonly server: ApiServer;
  readonly reviews: readonly AccessReview[];
}

function unused(): never {
  throw new Error("the sample server has none");
}

/**
 * An API server with one kind of its own, on the library that the main one is made of: it knows
 * callers from the headers of a front proxy, and asks `client` what they may do.
 */
export async function createSampleApiServer(spec: { readonly client: Client; readonly frontProxyCa: string }): Promise<SampleApiServer> {
  const world = openWorld({ log: silentLogger });
  const { clock, random, log } = world;
  const features = featureReader("", featureDefaults);
  const reviews: AccessReview[] = [];
  const store = createMemoryStore({ clock, random });
  const server = await createApiServer({
    store,
    clock,
    random,
    log,
    features,
    // Nobody registers the built-in kinds: only its own is seen from in front.
    isServed: servedKinds("", resources),
    allowPrivileged: false,
    authenticators: () => [createRequestHeaderAuthenticator({ roots: parseCertificates(spec.frontProxyCa), clock })],
    anonymousAllowed: true,
    authorizers: [delegatedAuthorizer(spec.client, reviews)],
    admission: () => [],
    openRemote: unused,
    webhooks: () => ({ post: unused, [Symbol.asyncDispose]: () => Promise.resolve() }),
    paths: ({ table, remotes }) => [
      discoveryPaths(createDiscovery(table, remotes), () => "localhost"),
      openApiPaths(table, remotes, { clock, features }),
    ],
    tokens: { issuer: "", audiences: [], sign: unused },
    componentHealth: unused,
    tokenReviewer: () => unused,
    serviceCidr: "10.0.0.0/24",
    connects: () => new Map(),
    registry: createMetricRegistry(),
    filters: () => [],
  });
  await server.loopback.dynamic(customResourceDefinitions).create(definition as KubeObject);
  return { server, reviews, [Symbol.dispose]: () => server[Symbol.dispose]() };
}

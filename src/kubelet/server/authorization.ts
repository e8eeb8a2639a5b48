/** Who may ask a kubelet what. Source: kubelet/server/auth.go, cmd/kubelet/app/auth.go. */
import { type SubjectAccessReview } from "#api/authorization/v1/subject-access-review.ts";
import { type TokenReview } from "#api/authentication/v1/token-review.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import type { Client, ResourceTarget } from "#client/client.ts";
import type { Identity } from "#client/transport.ts";

export interface KubeletAuth {
  /** Undefined: nobody that we know. */
  authenticate(exchange: HttpExchange): Promise<Identity | undefined>;
  authorize(user: Identity, attributes: NodeAttributes): Promise<boolean>;
}

/** `nodes/<subresource>` of this node. */
export interface NodeAttributes {
  readonly verb: string;
  readonly path: string;
  /** One that is allowed is enough: the finer ones first. */
  readonly subresources: readonly string[];
}

/** Source: auth.go GetRequestAttributes, KEP-2862. */
export function nodeAttributes(exchange: Pick<HttpExchange, "method" | "url">): NodeAttributes {
  const path = exchange.url.split("?")[0] ?? "";
  const verbs: Record<string, string> = {
    GET: "get",
    POST: "create",
    PUT: "update",
    PATCH: "patch",
    DELETE: "delete",
  };
  return { path, verb: verbs[exchange.method] ?? "get", subresources: subresourcesOf(path) };
}

function subresourcesOf(path: string): readonly string[] {
  const below = (root: string): boolean => path === root || path.startsWith(`${root}/`);
  if (below("/stats")) return ["stats"];
  if (below("/metrics")) return ["metrics"];
  if (below("/logs")) return ["log"];
  if (below("/checkpoint")) return ["checkpoint"];
  if (below("/pods") || below("/runningpods")) return ["pods", "proxy"];
  if (below("/healthz")) return ["healthz", "proxy"];
  if (below("/configz")) return ["configz", "proxy"];
  return ["proxy"];
}

/** Answers are remembered. Source: kubelet config authorization.webhook cache TTLs. */
const allowedMs = 300_000;
const deniedMs = 30_000;
const rememberedMax = 1024;

const accessReviews: ResourceTarget = {
  group: "authorization.k8s.io",
  version: "v1",
  plural: "subjectaccessreviews",
  kind: "SubjectAccessReview",
  scope: "Cluster",
};
const tokenReviews: ResourceTarget = {
  group: "authentication.k8s.io",
  version: "v1",
  plural: "tokenreviews",
  kind: "TokenReview",
  scope: "Cluster",
};

/** Client certificates, then bearer tokens; the API server decides what they may. */
export function createKubeletAuth(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
}): KubeletAuth {
  const { client, clock, nodeName } = options;
  const remembered = new Map<string, { readonly allowed: boolean; readonly untilMs: number }>();

  async function review(user: Identity, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([user, verb, subresource]);
    const known = remembered.get(key);
    if (known !== undefined && known.untilMs > clock.monotonicMs()) return known.allowed;
    const review: SubjectAccessReview = {
      kind: "SubjectAccessReview",
      apiVersion: "authorization.k8s.io/v1",
      metadata: {},
      spec: {
        user: user.name,
        ...(user.groups && { groups: [...user.groups] }),
        ...(user.uid !== undefined && { uid: user.uid }),
        resourceAttributes: { verb, version: "v1", resource: "nodes", subresource, name: nodeName },
      },
    };
    const answer = (await client.dynamic(accessReviews).create(review)) as SubjectAccessReview;
    const allowed = answer.status?.allowed === true;
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(key, {
      allowed,
      untilMs: clock.monotonicMs() + (allowed ? allowedMs : deniedMs),
    });
    return allowed;
  }

  return {
    async authenticate(exchange) {
      const peer = exchange.peerCertificate;
      if (peer?.trusted === true && peer.commonName !== "") {
        return { name: peer.commonName, groups: [...peer.organizations, "system:authenticated"] };
      }
      const [, token] = /^bearer (.+)$/i.exec(exchange.headers["authorization"] ?? "") ?? [];
      return token === undefined ? undefined : reviewToken(client, token);
    },
    async authorize(user, { verb, subresources }) {
      for (const subresource of subresources)
        if (await review(user, verb, subresource)) return true;
      return false;
    },
  };
}

async function reviewToken(client: Client, token: string): Promise<Identity | undefined> {
  const review: TokenReview = {
    kind: "TokenReview",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {},
    spec: { token },
  };
  const { status } = (await client.dynamic(tokenReviews).create(review)) as TokenReview;
  if (status?.authenticated !== true) return undefined;
  const { username = "", groups = [], uid } = status.user ?? {};
  return { name: username, groups, ...(uid !== undefined && { uid }) };
}

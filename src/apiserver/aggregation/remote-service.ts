import type { APIService } from "#api/apiregistration/v1/api-service.ts";
import type { HttpClient, HttpResponseHeaders } from "#base/http.ts";
import type { User } from "../call.ts";
import { resolveEndpoint, type ServiceEndpoints } from "../webhooks/service-endpoint.ts";

/** Where an extension API server is, and how to know it. */
export interface RemoteTarget {
  readonly baseUrl: string;
  /** `name.namespace.svc`. */
  readonly serverName: string;
  /** PEM. */
  readonly ca?: string;
  readonly insecure: boolean;
}

/** Presents the front proxy's certificate. */
export type OpenRemote = (target: RemoteTarget) => HttpClient;

const portDefault = 443;

/** Errors: NotFound, ServiceUnavailable. */
export function targetOf({ spec }: APIService, endpoints: ServiceEndpoints): RemoteTarget {
  const { namespace = "", name = "", port = portDefault } = spec.service ?? {};
  const endpoint = resolveEndpoint(endpoints, { namespace, name, port });
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  return {
    baseUrl: `https://${host}:${endpoint.port}`,
    serverName: `${name}.${namespace}.svc`,
    insecure: spec.insecureSkipTLSVerify === true,
    ...(spec.caBundle && { ca: Buffer.from(spec.caBundle, "base64").toString("utf8") }),
  };
}

/** What of a key may not stand in a header's name is percent-encoded. */
function escapeKey(key: string): string {
  const legal = /[A-Za-z0-9!#$&'*+.^_`|~-]/;
  return [...Buffer.from(key)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return legal.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

/** Tells the extension server who asks. Source: client-go/transport SetAuthProxyHeaders. */
export function remoteUserHeaders({ name, uid, groups, extra }: User): HttpResponseHeaders {
  const extras = Object.entries(extra).map(
    ([key, values]) => [`x-remote-extra-${escapeKey(key).toLowerCase()}`, values] as const,
  );
  return {
    "x-remote-user": name,
    ...(uid !== "" && { "x-remote-uid": uid }),
    ...(groups.length > 0 && { "x-remote-group": groups }),
    ...Object.fromEntries(extras),
  };
}

/** The server's own questions to extension servers. */
export const aggregatorUser: User = {
  name: "system:kube-aggregator",
  uid: "",
  groups: ["system:masters"],
  extra: {},
};

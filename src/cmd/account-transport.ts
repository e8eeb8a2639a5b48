import { ignoreAlreadyExists } from "#apimachinery/status.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpClient } from "#base/http.ts";
import { createHttpTransport } from "#client/http-transport.ts";
import type { ApiRequest, Identity, RawRequest, Transport } from "#client/transport.ts";

/** Life of a token that controllers ask for. Source: pkg/controller/client_builder_dynamic.go. */
const tokenSeconds = 3600;
/** Share of its life after which a token is replaced. */
const tokenUse = 0.8;
const accountPrefix = "system:serviceaccount:";

export interface AccountTransportOptions {
  /** Asks as the component itself; may make service accounts and their tokens. */
  readonly own: Transport;
  /** To the same server, without a client certificate. */
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly userAgent: string;
}

/**
 * Requests on behalf of a service account go with a token of that account, so each controller has
 * the rights of its own role and no more (`--use-service-account-credentials`).
 */
export function createAccountTransport(options: AccountTransportOptions): Transport {
  const { own } = options;
  const accounts = new Map<string, Transport>();
  const transportOf = (user: Identity | undefined): Transport => {
    if (user?.name.startsWith(accountPrefix) !== true) return own;
    let transport = accounts.get(user.name);
    if (transport === undefined) accounts.set(user.name, (transport = openAccount(user.name, options)));
    return transport;
  };
  return {
    call: (request) => transportOf(request.user).call(asOneself(request)),
    list: (request) => transportOf(request.user).list(asOneself(request)),
    watch: (request, sink) => transportOf(request.user).watch(asOneself(request), sink),
    raw: (request) => transportOf(request.user).raw(asOneself(request)),
  };
}

function asOneself<T extends ApiRequest | RawRequest>(request: T): T {
  const { user: _user, ...others } = request;
  return others as T;
}

function openAccount(user: string, options: AccountTransportOptions): Transport {
  const { http, clock, userAgent } = options;
  const [namespace = "", name = ""] = user.slice(accountPrefix.length).split(":");
  let token: Promise<string> | undefined;
  let replaceAtMs = 0;
  const currentToken = (): Promise<string> => {
    if (token === undefined || clock.nowMs() >= replaceAtMs) {
      replaceAtMs = clock.nowMs() + tokenSeconds * 1000 * tokenUse;
      token = issueToken(options.own, namespace, name);
      token.catch(() => (token = undefined));
    }
    return token;
  };
  const authorized: HttpClient = {
    ...http,
    async request(request) {
      const authorization = `Bearer ${await currentToken()}`;
      const response = await http.request({ ...request, headers: { ...request.headers, authorization } });
      if (response.status === 401) token = undefined;
      return response;
    },
  };
  return createHttpTransport({ http: authorized, clock, userAgent });
}

async function issueToken(own: Transport, namespace: string, name: string): Promise<string> {
  const target = { group: "", version: "v1", resource: "serviceaccounts", namespace, options: {} };
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name } };
  await ignoreAlreadyExists(own.call({ ...target, verb: "create", name: "", subresource: "", body: account }));
  const answer = await own.call({
    ...target,
    verb: "create",
    name,
    subresource: "token",
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: {},
      spec: { expirationSeconds: tokenSeconds },
    },
  });
  return (answer as { status?: { token?: string } }).status?.token ?? "";
}

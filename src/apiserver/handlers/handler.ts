import type { Answer } from "../answer.ts";
import type { ApiTable } from "../api-table.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Call, Endpoint, User } from "../call.ts";
import type { ComponentHealth } from "./component-status.ts";
import type { TokenIssuer } from "./token-request.ts";
import type { RestDeps } from "../rest/rest.ts";

/** What handlers of subresources and virtual resources may use. */
export interface HandlerContext {
  readonly table: ApiTable;
  readonly rest: RestDeps;
  readonly authorizer: Authorizer;
  readonly tokens: TokenIssuer;
  readonly componentHealth: ComponentHealth;
  /** Whose bearer token that is; no audiences means the server's own. */
  reviewToken(token: string, audiences: readonly string[]): Promise<TokenOwner | { readonly refused: string }>;
  /** Runs another call as the same user, inside the server (eviction deletes its pod). */
  dispatch(endpoint: Endpoint, call: Call): Promise<Answer>;
}

export interface TokenOwner {
  readonly user: User;
  /** Those of the question that the token is for. */
  readonly audiences: readonly string[];
}

/** Serves a subresource or a virtual resource by the name that its definition gives as `handler`. */
export type Handler = (context: HandlerContext, endpoint: Endpoint, call: Call) => Promise<Answer>;

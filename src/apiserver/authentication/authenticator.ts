import type { PeerCertificate } from "#base/http.ts";
import type { User } from "../call.ts";

/** What a request shows of its sender. */
export interface Credentials {
  /** Value of the Authorization header, "" when absent. */
  readonly authorization: string;
  /** Client certificate of the connection, verified against nothing yet. */
  readonly certificate?: PeerCertificate;
  readonly header: (name: string) => string | undefined;
  /** The values of a header one by one. */
  readonly values: (name: string) => readonly string[];
  /** Names of all headers, in lower case. */
  readonly names: () => readonly string[];
  /** Bearer token carried as a WebSocket subprotocol. */
  readonly webSocketToken?: string;
}

/**
 * One way to tell who asks. `undefined`: not my kind of credential, ask the next. `"invalid"`: mine,
 * and wrong: the request is refused unless another way accepts it.
 */
export interface Authenticator {
  readonly name: string;
  authenticate(credentials: Credentials): Promise<User | "invalid" | undefined>;
}

export const anonymousUser: User = {
  name: "system:anonymous",
  uid: "",
  groups: ["system:unauthenticated"],
  extra: {},
};

export const authenticatedGroup = "system:authenticated";

/** Adds the group that every authenticated user has. */
export function authenticated(user: User): User {
  if (user.groups.includes(authenticatedGroup)) return user;
  return { ...user, groups: [...user.groups, authenticatedGroup] };
}

/** The token of `Authorization: Bearer x`, "" when there is none. */
export function bearerToken(credentials: Credentials): string {
  const match = /^bearer +(.*)$/i.exec(credentials.authorization.trim());
  return match?.[1]?.trim() || credentials.webSocketToken || "";
}

/** Asks `ways` in order; anonymous when nobody claims the request, undefined for a 401. */
export async function authenticate(
  ways: readonly Authenticator[],
  credentials: Credentials,
  anonymousAllowed: boolean,
): Promise<User | undefined> {
  let refused = false;
  for (const way of ways) {
    const answer = await way.authenticate(credentials);
    if (answer === "invalid") refused = true;
    else if (answer !== undefined) return authenticated(answer);
  }
  return refused || !anonymousAllowed ? undefined : anonymousUser;
}

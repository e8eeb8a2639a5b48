import { badRequest, type StatusError } from "#apimachinery/status.ts";
import type { FeatureReader } from "#apimachinery/resource.ts";
import type { HttpExchange } from "#base/http.ts";
import { type Attributes, type Authorizer, forbiddenBy } from "../authorization/authorizer.ts";
import type { User } from "../call.ts";
import { type ImpersonationMode, impersonationModes, type WantedUser } from "./impersonation-modes.ts";

export interface ImpersonationRequest {
  readonly exchange: Pick<HttpExchange, "headers" | "headerValues">;
  /** The request as its sender would make it. */
  readonly attributes: Attributes;
}

/** Somebody to act as. */
export interface Impersonated {
  readonly user: User;
  /** The verb of the narrow mode that allowed it; "" for the old verb. */
  readonly constraint: string;
}

/** Whom the `Impersonate-*` headers of a request name; undefined when they name nobody. */
export type Impersonator = (request: ImpersonationRequest) => Promise<Impersonated | undefined>;

/** Senders whose last mode is remembered; who has sent nothing for longest is forgotten. Source: impersonation/cache.go. */
export const lastModesMax = 10_000;

/**
 * The narrow modes (node, service account, user by fields) are tried before the old verb
 * `impersonate`, but the one that last allowed this sender before all; the first that allows wins,
 * else the first refusal is the answer. Errors: BadRequest without a user name, Forbidden.
 * Source: apiserver/pkg/endpoints/filters/impersonation.
 */
export function createImpersonator(authorizer: Authorizer, features: FeatureReader): Impersonator {
  const lastModes = new Map<string, ImpersonationMode>();
  return async ({ exchange, attributes }) => {
    const wanted = wantedUser(exchange);
    if (wanted === undefined) return undefined;
    const modes = impersonationModes(features.enabled("ConstrainedImpersonation"));
    const { name } = attributes.user;
    const last = lastModes.get(name);
    let refusal: StatusError | undefined;
    for (const mode of modes.toSorted((a, b) => Number(b === last) - Number(a === last))) {
      if (!mode.fits(wanted, attributes.user)) continue;
      const answer = await mode.check({ wanted, attributes, authorizer });
      if (!(answer instanceof Error)) {
        remember(lastModes, name, mode);
        return { user: answer, constraint: mode.constraint };
      }
      refusal ??= answer;
    }
    throw refusal ?? forbiddenBy(attributes, "all impersonation modes failed");
  };
}

function remember(lastModes: Map<string, ImpersonationMode>, sender: string, mode: ImpersonationMode): void {
  lastModes.delete(sender);
  lastModes.set(sender, mode);
  const [oldest] = lastModes.size > lastModesMax ? lastModes.keys() : [];
  if (oldest !== undefined) lastModes.delete(oldest);
}

const extraPrefix = "impersonate-extra-";

/** Undefined when nobody is to be impersonated. */
function wantedUser(exchange: ImpersonationRequest["exchange"]): WantedUser | undefined {
  const extra: [string, string[]][] = [];
  for (const name of Object.keys(exchange.headers)) {
    if (!name.startsWith(extraPrefix)) continue;
    extra.push([unescapeKey(name.slice(extraPrefix.length)), [...exchange.headerValues(name)]]);
  }
  const wanted = {
    name: exchange.headerValues("impersonate-user")[0] ?? "",
    uid: exchange.headerValues("impersonate-uid")[0] ?? "",
    groups: exchange.headerValues("impersonate-group"),
    extra: Object.fromEntries(extra),
  };
  if (wanted.name !== "") return wanted;
  if (wanted.uid === "" && wanted.groups.length === 0 && extra.length === 0) return undefined;
  throw badRequest(`requested ${goUser(wanted)} without impersonating a user name`);
}

function unescapeKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The user as Go's `%#v` prints it. */
function goUser({ name, uid, groups, extra }: WantedUser): string {
  const list = (values: readonly string[]): string =>
    `[]string{${values.map((value) => JSON.stringify(value)).join(", ")}}`;
  const keys = Object.keys(extra).toSorted();
  const entries = keys.map((key) => `${JSON.stringify(key)}:${list(extra[key] ?? [])}`).join(", ");
  return (
    `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, ` +
    `Groups:${groups.length === 0 ? "[]string(nil)" : list(groups)}, ` +
    `Extra:map[string][]string${keys.length === 0 ? "(nil)" : `{${entries}}`}}`
  );
}

import { type FieldError, forbidden, notSupported } from "#apimachinery/field-error.ts";
import {
  badRequest,
  expired,
  invalidStatus,
  notFound,
  StatusError,
} from "#apimachinery/status.ts";
import type { KeyValue, Revision } from "#store/store.ts";
import type { Call, CallOptions, Endpoint } from "../call.ts";
import { decodeContinue, encodeContinue } from "../storage/continue-token.ts";
import type { Entry } from "../storage/entry.ts";
import { type Selection, selectionOf } from "./selection.ts";
import { listFailure } from "./unsafe-delete.ts";

/** A page of a list. */
export interface ListPage {
  readonly entries: readonly Entry[];
  readonly revision: Revision;
  /** Token of the next page, "" at the end. */
  readonly continue: string;
  readonly remainingItemCount?: number;
}

/** Entries read at once while a selector is looking for a page's worth of matches. */
const scanEntriesMax = 10_000;

/** GET of one object. */
export async function get(endpoint: Endpoint, call: Call): Promise<Entry> {
  const { resourceVersion = "" } = call.options;
  const notOlderThan = resourceVersion === "" ? undefined : parseResourceVersion(resourceVersion);
  const key = endpoint.storage.keyOf(call.namespace, call.name);
  const stored = await endpoint.storage.find(key, notOlderThan);
  if (stored === undefined) {
    const { group, plural } = endpoint.definition;
    throw notFound({ group, resource: plural }, call.name);
  }
  return stored.entry;
}

/** GET of a collection. */
export async function list(endpoint: Endpoint, call: Call): Promise<ListPage> {
  refuseBadListOptions(call.options);
  const selection = selectionOf(endpoint.definition, call.options);
  const namespace = call.namespace || selection.namespace || "";
  const prefix = endpoint.storage.namespacePrefix(namespace);
  const start = startOf(endpoint, call, prefix);
  // Any state will do: upstream's cache answers, and it has no pages.
  const anyState = call.options.resourceVersion === "0" && (call.options.continue ?? "") !== "";
  const limit = anyState ? 0 : (call.options.limit ?? 0);
  const page = await scan(endpoint, { ...start, limit, selection, prefix }).catch(async (error: unknown) => {
    throw await listFailure(endpoint, call, { error, prefix });
  });
  const revision = start.exact ?? page.revision;
  const next =
    page.nextKey === undefined
      ? ""
      : encodeContinue({ revision, startKey: page.nextKey }, endpoint.storage.prefix);
  return {
    entries: page.entries,
    revision,
    continue: next,
    ...(next !== "" && selection.all && { remainingItemCount: page.remaining }),
  };
}

interface Start {
  readonly key: string;
  /** Read at this revision. */
  readonly exact?: Revision;
  /** Without `exact`: read at any revision from this one on; absent means the newest. */
  readonly notOlderThan?: Revision;
  readonly onCompacted?: () => StatusError;
}

function startOf(endpoint: Endpoint, call: Call, prefix: string): Start {
  const { continue: token = "", resourceVersion = "", resourceVersionMatch } = call.options;
  if (token !== "") {
    const position = decodeContinue(token, endpoint.storage.prefix);
    if (resourceVersion !== "" && resourceVersion !== "0") {
      throw badRequest("specifying resource version is not allowed when using continue");
    }
    if (position.revision < 0) return { key: position.startKey };
    return {
      key: position.startKey,
      exact: position.revision,
      onCompacted: () => compactedToken(position.startKey, endpoint.storage.prefix),
    };
  }
  if (resourceVersion === "") return { key: prefix };
  const revision = parseResourceVersion(resourceVersion);
  const legacyExact = resourceVersionMatch === undefined && (call.options.limit ?? 0) > 0 && revision > 0;
  const exact = resourceVersionMatch === "Exact" || legacyExact;
  return exact ? { key: prefix, exact: revision } : { key: prefix, notOlderThan: revision };
}

const inconsistentContinue =
  "The provided continue parameter is too old to display a consistent list result. You can start " +
  "a new list without the continue parameter, or use the continue token in this response to " +
  "retrieve the remainder of the results. Continuing with the provided token results in an " +
  "inconsistent list - objects that were created, modified, or deleted between the time the first " +
  "chunk was returned and now may show up in the list.";

/** 410 that carries a token for the rest of the list at the newest state. */
function compactedToken(startKey: string, prefix: string): StatusError {
  const { status } = expired(inconsistentContinue);
  const token = encodeContinue({ revision: -1, startKey }, prefix);
  return new StatusError({ ...status, metadata: { continue: token } });
}

interface Scan extends Start {
  readonly limit: number;
  readonly selection: Selection;
  readonly prefix: string;
}

interface Scanned {
  readonly entries: readonly Entry[];
  readonly revision: Revision;
  readonly remaining: number;
  readonly nextKey?: string;
}

async function scan(endpoint: Endpoint, query: Scan): Promise<Scanned> {
  const { storage } = endpoint;
  const { end } = storage.rangeOf(query.prefix);
  const entries: Entry[] = [];
  let { key, exact } = query;
  for (;;) {
    const wanted = query.limit - entries.length;
    const batch = query.limit === 0 ? 0 : query.selection.all ? wanted : scanEntriesMax;
    const result = await storage.range({
      key,
      end,
      limit: batch,
      ...(exact !== undefined && { revision: exact }),
      ...(query.notOlderThan !== undefined && { notOlderThan: query.notOlderThan }),
      ...(query.onCompacted && { onCompacted: query.onCompacted }),
    });
    const stopped = collect(endpoint, { result: result.entries, into: entries, query });
    const last = stopped ?? result.entries.at(-1);
    const more = result.more || (stopped !== undefined && stopped !== result.entries.at(-1));
    const full = query.limit > 0 && entries.length >= query.limit;
    if (!more || full || last === undefined) {
      return {
        entries,
        revision: result.revision,
        remaining: result.count - (query.selection.all ? result.entries.length : 0),
        ...(more && last && { nextKey: `${last.key}\0` }),
      };
    }
    exact ??= result.revision;
    key = `${last.key}\0`;
  }
}

/** Adds what matches; returns the key-value after which the page is full. */
function collect(
  endpoint: Endpoint,
  spec: { result: readonly KeyValue[]; into: Entry[]; query: Scan },
): KeyValue | undefined {
  const { into, query } = spec;
  for (const kv of spec.result) {
    const entry = endpoint.storage.entries.of(kv);
    if (!query.selection.all && !query.selection.matches(entry.as(endpoint.definition))) continue;
    into.push(entry);
    if (query.limit > 0 && into.length >= query.limit) return kv;
  }
  return undefined;
}

/** Errors: BadRequest. */
function parseResourceVersion(text: string): Revision {
  if (!/^\d+$/.test(text)) {
    const detail = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: ${detail}`,
    );
  }
  return Number(text);
}

/** Errors: Invalid. Source: internalversion/validation ValidateListOptions. */
function refuseBadListOptions(options: CallOptions): void {
  const errors: FieldError[] = [];
  const { resourceVersionMatch: match, resourceVersion = "", continue: token = "" } = options;
  if (match !== undefined) {
    const field = "resourceVersionMatch";
    if (resourceVersion === "") {
      errors.push(forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (token !== "") {
      errors.push(forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
    }
    if (match !== "Exact" && match !== "NotOlderThan") {
      errors.push(notSupported(field, match, ["Exact", "NotOlderThan", ""]));
    }
    if (match === "Exact" && resourceVersion === "0") {
      errors.push(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  refuseListOptions(errors);
}

export function refuseListOptions(errors: readonly FieldError[]): void {
  if (errors.length > 0) {
    throw invalidStatus({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  }
}

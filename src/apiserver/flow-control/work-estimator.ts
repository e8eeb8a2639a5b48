import type { CallOptions } from "../call.ts";
import { listOptions } from "../http/query-options.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { WorkEstimate } from "./request-work.ts";

/** What is known of the objects of a kind. */
export interface ObjectStatistics {
  readonly count: number;
  readonly averageBytes: number;
}

export interface WorkSources {
  /** Undefined for what this server does not store, or has not counted yet. */
  statistics(info: RequestInfo): ObjectStatistics | undefined;
  watchers(info: RequestInfo): number;
}

/** Source: flowcontrol/request/config.go and list_work_estimator.go. */
const listSeatsMax = 100;
const mutatingSeatsMax = 10;
const watchersPerSeat = 10;
const eventMs = 5;
const bytesPerSeat = 100_000;
const streamedBytesMax = 1_000_000;
const objectBytesMax = 1_500_000;

const oneSeat: WorkEstimate = { initialSeats: 1, finalSeats: 0, extraMs: 0 };

/**
 * Guesses the work of a request: lists by what they read, writes by whom they wake. `seatsMax` is
 * the level's own limit, 0 for none.
 */
export function estimateWork(
  sources: WorkSources,
  request: { readonly info: RequestInfo; readonly query: URLSearchParams },
  seatsMax: number,
): WorkEstimate {
  switch (request.info.verb) {
    case "list":
    case "watch":
      return estimateList(sources, request, limited(listSeatsMax, seatsMax));
    case "create":
    case "update":
    case "patch":
    case "delete":
      return estimateWrite(sources, request.info, limited(mutatingSeatsMax, seatsMax));
    default:
      return oneSeat;
  }
}

function limited(own: number, ofLevel: number): number {
  return ofLevel > 0 && ofLevel < own ? ofLevel : own;
}

function estimateList(
  { statistics }: WorkSources,
  { info, query }: { readonly info: RequestInfo; readonly query: URLSearchParams },
  seatsMax: number,
): WorkEstimate {
  let options: CallOptions;
  try {
    options = listOptions(query);
  } catch {
    // Bound to be refused.
    return { ...oneSeat, initialSeats: seatsMax };
  }
  const isWatch = info.verb === "watch";
  if (isWatch && !beginsWithState(options)) return oneSeat;
  const known = statistics(info);
  if (known === undefined) return oneSeat;
  const isCached = isWatch || isListedFromCache(options);
  const bytes = objectsInMemory(known, options, { isCached, isSingle: info.name !== "" }) * sizeOf(known);
  const seats = Math.ceil((isCached ? Math.min(bytes, streamedBytesMax) : bytes) / bytesPerSeat);
  return { ...oneSeat, initialSeats: Math.min(Math.max(seats, 1), seatsMax) };
}

function beginsWithState({ sendInitialEvents, resourceVersion = "" }: CallOptions): boolean {
  return sendInitialEvents === true || resourceVersion === "" || resourceVersion === "0";
}

/** Source: storage/cacher/delegator ShouldDelegateListMeta, without snapshots. */
function isListedFromCache({ resourceVersionMatch, limit, resourceVersion = "", ...options }: CallOptions): boolean {
  if (resourceVersionMatch === "Exact") return false;
  if (resourceVersionMatch === "NotOlderThan") return true;
  if (options.continue !== undefined) return false;
  return limit === undefined || resourceVersion === "" || resourceVersion === "0";
}

function sizeOf({ averageBytes, count }: ObjectStatistics): number {
  return averageBytes <= 0 && count > 0 ? objectBytesMax : averageBytes;
}

function objectsInMemory(
  { count }: ObjectStatistics,
  { limit, fieldSelector, labelSelector }: CallOptions,
  { isCached, isSingle }: { readonly isCached: boolean; readonly isSingle: boolean },
): number {
  if (isSingle) return 1;
  const page = limit !== undefined && limit < count ? limit : count;
  const isSelective = fieldSelector !== undefined || labelSelector !== undefined;
  return !isCached && isSelective ? Math.max(page, Math.trunc(count / 2)) : page;
}

function estimateWrite({ watchers }: WorkSources, info: RequestInfo, seatsMax: number): WorkEstimate {
  // A token is no event.
  if (info.resource === "serviceaccounts" && info.subresource === "token") return oneSeat;
  const count = watchers(info);
  if (count < watchersPerSeat) return oneSeat;
  const wanted = Math.ceil(count / watchersPerSeat);
  const finalSeats = Math.min(wanted, seatsMax);
  return { initialSeats: 1, finalSeats, extraMs: (wanted * eventMs) / finalSeats };
}

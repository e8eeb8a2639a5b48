import type { Clock } from "#base/clock.ts";
import type { PathHandler } from "../http/frontend.ts";
import { sendText } from "../http/send.ts";
import type { FlowConfiguration } from "./flow-configuration.ts";
import type { RequestDump } from "./request-work.ts";

const root = "/debug/api_priority_and_fairness/";

type Row = readonly string[];

/** Tables of what goes on, for people. Source: flowcontrol/apf_controller_debug.go. */
export function flowControlDumps(configuration: FlowConfiguration, clock: Clock): PathHandler {
  const dumps: ReadonlyMap<string, (query: URLSearchParams) => Row[]> = new Map([
    ["dump_priority_levels", () => dumpLevels(configuration)],
    ["dump_queues", () => dumpQueues(configuration)],
    [
      "dump_requests",
      (query: URLSearchParams) =>
        dumpRequests(configuration, clock.nowMs() - clock.monotonicMs(), (query.get("includeRequestDetails") ?? "") !== ""),
    ],
  ]);
  return async ({ exchange, path, query }) => {
    const dump = path.startsWith(root) ? dumps.get(path.slice(root.length)) : undefined;
    if (dump === undefined) return false;
    sendText(exchange, 200, tabulate(dump(query)));
    return true;
  };
}

function dumpLevels({ levels }: FlowConfiguration): Row[] {
  const rows = [...levels]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, queues, isQuiescing }) => {
      const { queues: all, waiting, executing, dispatched, rejected, cancelled } = queues.dump();
      const active = all.filter((queue) => queue.waiting.length > 0).length;
      return [name, active, queues.isIdle, isQuiescing, waiting, executing, dispatched, rejected, 0, cancelled].map(String);
    });
  const head = ["PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests", "ExecutingRequests"];
  return [[...head, "DispatchedRequests", "RejectedRequests", "TimedoutRequests", "CancelledRequests"], ...rows];
}

function dumpQueues({ levels }: FlowConfiguration): Row[] {
  const rows = [...levels].flatMap(({ name, queues }) =>
    queues.dump().queues.map((queue, i) => {
      const { waiting, executing, seatsInUse, nextR, initialSeatsSum, maxSeatsSum, totalWork } = queue;
      const numbers = [i, waiting.length, executing.length, seatsInUse].map(String);
      return [name, ...numbers, seatSeconds(nextR), String(initialSeatsSum), String(maxSeatsSum), seatSeconds(totalWork)];
    }),
  );
  const head = ["PriorityLevelName", "Index", "PendingRequests", "ExecutingRequests", "SeatsInUse"];
  return [[...head, "NextDispatchR", "InitialSeatsSum", "MaxSeatsSum", "TotalWorkSum"], ...rows];
}

/** `originMs` is the wall clock at monotonic 0. */
function dumpRequests({ levels }: FlowConfiguration, originMs: number, withDetails: boolean): Row[] {
  const head = ["PriorityLevelName", "FlowSchemaName", "QueueIndex", "RequestIndexInQueue", "FlowDistingsher"];
  const times = ["ArriveTime", "InitialSeats", "FinalSeats", "AdditionalLatency", "StartTime"];
  const details = ["UserName", "Verb", "APIPath", "Namespace", "Name", "APIVersion", "Resource", "SubResource"];
  const rows: Row[] = [[...head, ...times, ...(withDetails ? details : [])]];
  for (const { name, queues } of levels) {
    const add = (queueAt: number, at: number, request: RequestDump): void => {
      const place = [name, request.schemaName, String(queueAt), String(at), request.distinguisher];
      rows.push([...place, ...timesOf(request, originMs), ...(withDetails ? detailsOf(request) : [])]);
    };
    const dump = queues.dump();
    dump.queues.forEach(({ waiting, executing }, queueAt) => {
      waiting.forEach((request, i) => add(queueAt, i, request));
      executing.forEach((request) => add(queueAt, -1, request));
    });
    for (const request of dump.unqueued) add(-1, -1, request);
  }
  return rows;
}

function timesOf({ arrivedMs, startedMs, work }: RequestDump, originMs: number): Row {
  const time = (ms: number): string => new Date(Math.round(originMs + ms)).toISOString();
  const started = startedMs === undefined ? "0001-01-01T00:00:00Z" : time(startedMs);
  const { initialSeats, finalSeats, extraMs } = work;
  return [time(arrivedMs), String(initialSeats), String(finalSeats), extraMs === 0 ? "0s" : `${extraMs}ms`, started];
}

function detailsOf({ details: { user, info } }: RequestDump): Row {
  const apiVersion = info.group === "" ? info.version : `${info.group}/${info.version}`;
  return [user.name, info.verb, info.path, info.namespace, info.name, apiVersion, info.resource, info.subresource];
}

function seatSeconds(seatMs: number): string {
  return `${(seatMs / 1000).toFixed(8)}ss`;
}

/** Columns as wide as their widest cell, at least eight, as Go's tabwriter makes them. */
function tabulate(rows: readonly Row[]): string {
  const cells = rows.map((row) => row.map((cell, i) => (i < row.length - 1 ? `${cell},` : cell)));
  const widths = (cells[0] ?? []).map((_, i) => Math.max(8, ...cells.map((row) => (row[i] ?? "").length + 1)));
  const line = (row: Row): string => row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell)).join("");
  return cells.map((row) => `${line(row)}\n`).join("");
}

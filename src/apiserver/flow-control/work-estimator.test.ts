import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequestInfo } from "../http/request-info.ts";
import { WatchTracker } from "./watch-tracker.ts";
import { estimateWork, type ObjectStatistics } from "./work-estimator.ts";

interface Row {
  readonly ask: string;
  readonly known?: ObjectStatistics;
  readonly watchers?: number;
  readonly seatsMax?: number;
  readonly seats: number;
  readonly final?: readonly [seats: number, extraMs: number];
}

const many = { count: 5000, averageBytes: 1000 };
const pods = "/api/v1/namespaces/a/pods";

const rows: readonly Row[] = [
  { ask: `GET ${pods}/x`, known: many, seats: 1 },
  { ask: `GET ${pods}`, seats: 1 },
  { ask: `GET ${pods}`, known: { count: 10, averageBytes: 1000 }, seats: 1 },
  // Served from memory: what streams is bounded.
  { ask: `GET ${pods}`, known: many, seats: 10 },
  { ask: `GET ${pods}?limit=500`, known: many, seats: 5 },
  { ask: `GET ${pods}?limit=500&continue=x`, known: many, seats: 5 },
  { ask: `GET ${pods}?limit=500&continue=x&labelSelector=a%3Db`, known: many, seats: 25 },
  { ask: `GET ${pods}?resourceVersion=5&resourceVersionMatch=Exact`, known: many, seats: 50 },
  { ask: `GET ${pods}?resourceVersion=5&resourceVersionMatch=Exact`, known: { count: 50_000, averageBytes: 1000 }, seats: 100 },
  { ask: `GET ${pods}?resourceVersion=5&resourceVersionMatch=Exact`, known: many, seatsMax: 7, seats: 7 },
  { ask: `GET ${pods}?fieldSelector=metadata.name%3Dx`, known: many, seats: 1 },
  { ask: `GET ${pods}?limit=x`, known: many, seats: 100 },
  { ask: `GET ${pods}?watch=1`, known: many, seats: 10 },
  { ask: `GET ${pods}?watch=1&resourceVersion=7`, known: many, seats: 1 },
  { ask: `GET ${pods}?watch=1&resourceVersion=7&sendInitialEvents=true`, known: many, seats: 10 },
  { ask: `POST ${pods}`, watchers: 9, seats: 1 },
  { ask: `POST ${pods}`, watchers: 10, seats: 1, final: [1, 5] },
  { ask: `POST ${pods}`, watchers: 25, seats: 1, final: [3, 5] },
  { ask: `DELETE ${pods}/x`, watchers: 200, seats: 1, final: [10, 10] },
  { ask: `DELETE ${pods}/x`, watchers: 200, seatsMax: 4, seats: 1, final: [4, 25] },
  { ask: "POST /api/v1/namespaces/a/serviceaccounts/x/token", watchers: 200, seats: 1 },
];

for (const { ask, known, watchers = 0, seatsMax = 0, seats, final = [0, 0] } of rows) {
  test(`${ask} with ${known?.count ?? "unknown"} objects, ${watchers} watchers, limit ${seatsMax}`, () => {
    const [method = "", url = ""] = ask.split(" ");
    const [path = "", text = ""] = url.split("?");
    const query = new URLSearchParams(text);
    const request = { info: parseRequestInfo(method, path, query), query };
    const estimate = estimateWork({ statistics: () => known, watchers: () => watchers }, request, seatsMax);
    assert.deepEqual(estimate, { initialSeats: seats, finalSeats: final[0], extraMs: final[1] });
  });
}

test("watches that may see a write are those of its kind, namespace and name", () => {
  const tracker = new WatchTracker();
  const watch = (path: string, query = ""): (() => void) => {
    const params = new URLSearchParams(`watch=1&${query}`);
    return tracker.register(parseRequestInfo("GET", path, params), params);
  };
  const ends = [watch("/api/v1/pods"), watch(pods), watch(pods, "fieldSelector=metadata.name%3Dx")];
  ends.push(watch("/api/v1/namespaces/b/pods"), watch("/api/v1/nodes"));
  // A kubelet's watch wakes for its own node only.
  ends.push(watch("/api/v1/pods", "fieldSelector=spec.nodeName%3Dn1"));
  const interested = (method: string, path: string): number =>
    tracker.interestedIn(parseRequestInfo(method, path, new URLSearchParams()));
  assert.deepEqual([interested("POST", pods), interested("PUT", `${pods}/x`), interested("PUT", `${pods}/y`)], [2, 3, 2]);
  for (const end of ends) end();
  assert.equal(interested("PUT", `${pods}/x`), 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Flights, inFlightEventsMax } from "./flights.ts";
import { podInfoOf } from "./pod-info.ts";
import { createQueuedPod, type QueuedPod } from "./queued-pod.ts";
import { pod } from "./testing/world.ts";

const entryOf = (name: string): QueuedPod => createQueuedPod(podInfoOf(pod(name)), 0);
const namesOf = (missed: ReturnType<Flights["end"]>): unknown =>
  missed === "lost" ? missed : missed.map(({ name }) => name);

test("Flights tells each pod what came since it took off", () => {
  const flights = new Flights();
  const [a, b] = [entryOf("a"), entryOf("b")];
  flights.happened({ name: "Pod/add" });
  flights.begin(a);
  flights.happened({ name: "Node/add" });
  flights.begin(b);
  flights.happened({ name: "Node/delete" });
  assert.deepEqual(namesOf(flights.end(a)), ["Node/add", "Node/delete"]);
  assert.deepEqual(namesOf(flights.end(a)), []);
  assert.deepEqual(namesOf(flights.end(b)), ["Node/delete"]);
});

test("Flights that miss too much are told that it is lost, later ones are not", () => {
  const flights = new Flights();
  const [a, b] = [entryOf("a"), entryOf("b")];
  flights.begin(a);
  for (let i = 0; i <= inFlightEventsMax; i++) flights.happened({ name: "Node/add" });
  flights.begin(b);
  flights.happened({ name: "Node/delete" });
  assert.equal(namesOf(flights.end(a)), "lost");
  assert.deepEqual(namesOf(flights.end(b)), ["Node/delete"]);
});

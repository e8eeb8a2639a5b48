import assert from "node:assert/strict";
import { test } from "node:test";
import { isStatusError } from "#apimachinery/status.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import type { AdmissionRequest } from "../admission.ts";
import type { PluginConfiguration } from "../configuration.ts";
import { eventRateLimit } from "./event-rate-limit.ts";

function told(...limits: object[]): PluginConfiguration {
  return { value: { apiVersion: "eventratelimit.admission.k8s.io/v1alpha1", kind: "Configuration", limits }, duplicates: [] };
}

interface Asked {
  readonly namespace?: string;
  readonly user?: string;
  readonly about?: string;
  readonly kind?: string;
}

function requestOf({ namespace = "default", user = "u", about = "a", kind = "Event" }: Asked): AdmissionRequest {
  const call = { namespace, user: { name: user }, definition: { group: "", version: "v1", kind }, options: {} };
  const object = { source: { component: "kubelet", host: "n" }, involvedObject: { kind: "Pod", namespace, name: about, uid: "1", apiVersion: "v1" } };
  return { operation: "CREATE", call, object } as unknown as AdmissionRequest;
}

function world(...limits: object[]): { readonly clock: ReturnType<typeof createVirtualClock>; ask(asked?: Asked): string } {
  const clock = createVirtualClock();
  const plugin = eventRateLimit(told(...limits), clock);
  return {
    clock,
    ask(asked = {}) {
      const request = requestOf(asked);
      if (plugin.handles?.(request) === false) return "";
      try {
        void plugin.validate?.(request);
        return "";
      } catch (error) {
        assert.ok(isStatusError(error));
        assert.equal(error.status.code, 429);
        return error.message;
      }
    },
  };
}

test("Events of the whole server are counted, others are not", async () => {
  const { clock, ask } = world({ type: "Server", qps: 1, burst: 2 });
  const refused = "Too many requests: limit reached on type Server for key ";
  assert.deepEqual([ask(), ask({ namespace: "b" }), ask(), ask({ kind: "Pod" })], ["", "", refused, ""]);
  await clock.advance(999);
  assert.equal(ask(), refused);
  await clock.advance(2);
  assert.deepEqual([ask(), ask()], ["", refused]);
});

test("each key has a bucket of its own; the last refusal is told", () => {
  const { ask } = world(
    { type: "Namespace", qps: 1, burst: 1 },
    { type: "User", qps: 1, burst: 2 },
    { type: "SourceAndObject", qps: 1, burst: 3 },
  );
  const of = (type: string, key: string): string => `Too many requests: limit reached on type ${type} for key ${key}`;
  assert.equal(ask(), "");
  assert.equal(ask(), of("Namespace", "default"));
  assert.equal(ask(), of("User", "u"));
  assert.equal(ask(), of("SourceAndObject", "kubeletnPoddefaulta1v1"));
  assert.equal(ask({ namespace: "other", user: "v" }), "");
});

test("the bucket that was unused longest makes room", () => {
  const { ask } = world({ type: "Namespace", qps: 1, burst: 1, cacheSize: 2 });
  const refused = (namespace: string): boolean => ask({ namespace }) !== "";
  assert.deepEqual(["a", "b", "a", "c", "a", "b"].map(refused), [false, false, true, false, true, false]);
});

test("a configuration that is none is refused in upstream's words", () => {
  const clock = createVirtualClock();
  const messageOf = (configuration: PluginConfiguration | undefined): string => {
    try {
      eventRateLimit(configuration, clock);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(messageOf(told()), "limits: Invalid value: []: must not be empty");
  assert.equal(
    messageOf(told({ type: "X", qps: 0, burst: 0, cacheSize: -1 })),
    '[limits[0].type: Unsupported value: "X": supported values: "Server", "Namespace", "User", "SourceAndObject", ' +
      "limits[0].burst: Invalid value: 0: must be positive, limits[0].qps: Invalid value: 0: must be positive, " +
      "limits[0].cacheSize: Invalid value: -1: must not be negative]",
  );
  assert.equal(messageOf({ value: { ...told().value, kind: "Other" }, duplicates: [] }),
    'no kind "Other" is registered for version "eventratelimit.admission.k8s.io/v1alpha1"');
  assert.equal(messageOf(told({ type: "Server", qps: 1, burst: 1, extra: 1 })), 'strict decoding error: unknown field "limits[0].extra"');
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { podLimits, podRequests } from "./pod-resources.ts";
import { qosClassOf } from "./pod-qos.ts";
import type { PodSpec } from "./pod-spec.ts";

type Resources = NonNullable<PodSpec["containers"][number]["resources"]>;

function container(name: string, resources: Resources, restartPolicy?: string) {
  return { name, resources, ...(restartPolicy !== undefined && { restartPolicy }) };
}

const cpu = (amount: string): Resources => ({ requests: { cpu: amount } });

function requestedCpu(spec: PodSpec): string | undefined {
  return podRequests(spec)["cpu"];
}

describe("what a Pod requests", () => {
  it("is the sum of its containers", () => {
    assert.equal(
      requestedCpu({ containers: [container("a", cpu("1")), container("b", cpu("250m"))] }),
      "1250m",
    );
  });

  it("is at least what the largest init container asks for", () => {
    const initContainers = [container("i", cpu("2")), container("j", cpu("3"))];
    assert.equal(requestedCpu({ initContainers, containers: [container("a", cpu("1"))] }), "3");
    assert.equal(requestedCpu({ initContainers, containers: [container("a", cpu("4"))] }), "4");
  });

  it("counts sidecars beside later init containers and the containers", () => {
    const initContainers = [container("s", cpu("1"), "Always"), container("i", cpu("2"))];
    assert.equal(requestedCpu({ initContainers, containers: [container("a", cpu("1"))] }), "3");
    assert.equal(requestedCpu({ initContainers, containers: [container("a", cpu("5"))] }), "6");
    const reversed = initContainers.toReversed();
    assert.equal(
      requestedCpu({ initContainers: reversed, containers: [container("a", cpu("1"))] }),
      "2",
    );
  });

  it("is what the Pod itself says, and overhead", () => {
    const spec: PodSpec = {
      containers: [container("a", cpu("1"))],
      resources: cpu("2"),
      overhead: { cpu: "100m" },
    };
    assert.equal(requestedCpu(spec), "2100m");
  });
});

it("overhead raises limits there are, and makes none", () => {
  const limits = { requests: {}, limits: { cpu: "1" } };
  const overhead = { cpu: "100m", memory: "1Mi" };
  assert.deepEqual(podLimits({ containers: [container("a", limits)], overhead }), { cpu: "1100m" });
});

describe("the class of a Pod", () => {
  const full = { cpu: "1", memory: "1Gi" };

  it("is BestEffort when nothing is asked for", () => {
    assert.equal(qosClassOf({ containers: [container("a", {})] }), "BestEffort");
    assert.equal(qosClassOf({ containers: [container("a", cpu("0"))] }), "BestEffort");
  });

  it("is Guaranteed when every container requests its limits", () => {
    const all = { limits: full, requests: { cpu: "1000m", memory: "1Gi" } };
    assert.equal(
      qosClassOf({ containers: [container("a", all), container("b", all)] }),
      "Guaranteed",
    );
    const initContainers = [container("i", {})];
    assert.equal(qosClassOf({ initContainers, containers: [container("a", all)] }), "Burstable");
  });

  it("is Burstable in between", () => {
    assert.equal(qosClassOf({ containers: [container("a", cpu("1"))] }), "Burstable");
    const half = { limits: full, requests: { cpu: "500m", memory: "1Gi" } };
    assert.equal(qosClassOf({ containers: [container("a", half)] }), "Burstable");
  });

  it("follows the resources of the Pod where it has some", () => {
    const resources = { limits: full, requests: full };
    assert.equal(qosClassOf({ containers: [container("a", {})], resources }), "Guaranteed");
  });
});

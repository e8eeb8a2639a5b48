import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { silentLogger } from "#base/log.ts";
import { startControllerWorld } from "../controller-world.ts";
import { startHollowNodes } from "../hollow-node.ts";
import { compileTemplate } from "./go-template.ts";
import { compileQuery } from "./query.ts";
import { readStages } from "./stage.ts";

describe("compileTemplate", () => {
  const dot = { name: "web", items: [{ n: 1 }, { n: 2 }], map: { b: 2, a: 1 }, empty: {}, none: null, zero: 0 };
  const rows: readonly (readonly [string, string])[] = [
    ["{{ .name | Quote }}", '"web"'],
    ["{{ .missing }} {{ .missing | Quote }}", '<no value> ""'],
    ["{{ if .zero }}yes{{ else if .name }}name{{ else }}no{{ end }}", "name"],
    ["{{ range .items }}{{ .n }},{{ end }}", "1,2,"],
    ["{{ range $i, $item := .items }}{{ $i }}={{ $item.n }} {{ end }}", "0=1 1=2 "],
    ["{{ range .none }}x{{ else }}empty{{ end }}", "empty"],
    ["{{ range $k, $v := .map }}{{ $k }}{{ $v }}{{ end }}", "a1b2"],
    ["{{ $found := 0 }}{{ range .items }}{{ if eq .n 2 }}{{ $found = 1 }}{{ break }}{{ end }}{{ end }}{{ $found }}", "1"],
    ["{{ with .map }}{{ .a }}{{ end }}{{ with .none }}x{{ else }}{{ $.name }}{{ end }}", "1web"],
    ["{{ ( index .items 1 ).n }}{{ or .none ( print .name \"!\" ) }}", "2web!"],
    ['{{ if and .missing "x" }}yes{{ else }}no{{ end }}{{ and .name .zero }}{{ and .name "last" }}', "no0last"],
    ["{{ len .map }}{{ len .empty }}{{ len .none }}{{ len .items }}{{ len .name }}", "20023"],
    ["a {{- /* gone */ -}} b", "ab"],
    ["{{ YAML .map 1 }}", '  {"b":2,"a":1}'],
    ['{{ define "one" }}[{{ .x }}]{{ end }}{{ template "one" dict "x" .name }}', "[web]"],
  ];
  for (const [text, expected] of rows) it(text, () => assert.equal(compileTemplate(text).fill(dot, {}), expected));
});

describe("compileQuery", () => {
  const object = {
    metadata: { annotations: { "a.b/c": "5s" }, ownerReferences: [{ kind: "Job" }] },
    status: { conditions: [{ type: "Ready", status: "True" }, { type: "Other", status: "False" }] },
  };
  const rows: readonly (readonly [string, readonly unknown[]])[] = [
    [".metadata.deletionTimestamp", []],
    ['.metadata.annotations["a.b/c"]', ["5s"]],
    [".metadata.ownerReferences.[].kind", ["Job"]],
    ['.status.conditions.[] | select( .type == "Ready" ) | .status', ["True"]],
    ['.status.conditions[] | select(.type != "Ready") | .status', ["False"]],
    [".status.conditions[1].type", ["Other"]],
  ];
  for (const [text, expected] of rows) it(text, () => assert.deepEqual(compileQuery(text)(object), expected));
});

const fast = `apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-ready}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.podIP, operator: DoesNotExist}
  delay: {durationMilliseconds: 1000}
  next:
    event: {type: Normal, reason: Started, message: "Started {{ .metadata.name }}"}
    statusTemplate: |
      {{ $now := Now }}
      conditions:
      - lastTransitionTime: {{ $now | Quote }}
        status: "True"
        type: Ready
      containerStatuses:
      {{ range .spec.containers }}
      - image: {{ .image | Quote }}
        name: {{ .name | Quote }}
        ready: true
        restartCount: 0
        state:
          running:
            startedAt: {{ $now | Quote }}
      {{ end }}
      hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
      podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
      phase: Running
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-delete}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - jq: {key: .metadata.deletionTimestamp, operator: Exists}
  delay:
    durationFrom: {jq: {expression: '.metadata.annotations["delay"]'}}
  next:
    finalizers: {empty: true}
    delete: true
---
# Keeps saying that it is there.
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: node-heartbeat}
spec:
  resourceRef: {apiGroup: v1, kind: Node}
  selector:
    matchExpressions:
    - {key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: In, values: ["True"]}
  delay: {durationMilliseconds: 20000}
  steps:
  - patch:
      subresource: status
      root: status
      template: |
        conditions:
        {{ range NodeConditions }}
        - lastHeartbeatTime: {{ Now | Quote }}
          message: {{ .message | Quote }}
          reason: {{ .reason | Quote }}
          status: {{ .status | Quote }}
          type: {{ .type | Quote }}
        {{ end }}
`;

describe("hollow nodes with stages", () => {
  it("take Pods and Nodes from stage to stage", async () => {
    const world = startControllerWorld([]);
    const { client, informers, clock, lifetime } = world;
    const starting = startHollowNodes({ client, informers, clock, lifetime, log: silentLogger, count: 1, stages: readStages(fast) });
    await world.settle();
    await starting;
    const pod: Pod = {
      metadata: { name: "web", namespace: "default", uid: "u", finalizers: ["a.b/c"], annotations: { delay: "5s" } },
      spec: { nodeName: "hollow-0", containers: [{ name: "main", image: "app:1" }] },
      status: { phase: "Pending" },
    };
    world.seed(pods, pod);
    await world.settle(900);
    assert.equal(world.get(pods, "default/web")?.status?.phase, "Pending");
    await world.settle(200);
    const running = world.get(pods, "default/web")?.status;
    assert.deepEqual([running?.phase, running?.podIP, running?.hostIP], ["Running", "10.128.0.1", "10.64.0.0"]);
    assert.equal(running?.containerStatuses?.[0]?.ready, true);
    assert.deepEqual(world.events(), ["Started: Started web"]);
    const heartbeat = () => world.get(nodes, "hollow-0")?.status?.conditions?.find(({ type }) => type === "Ready")?.lastHeartbeatTime;
    const [before] = [heartbeat()];
    await world.settle(41_000);
    assert.notEqual(heartbeat(), before);
    await client.resource(pods).delete("default/web");
    await world.settle(4000);
    assert.notEqual(world.get(pods, "default/web"), undefined);
    await world.settle(2000);
    assert.equal(world.get(pods, "default/web"), undefined);
  });

  it("refuses what is no stage, by its name", () => {
    assert.throws(() => readStages("apiVersion: v1\nkind: Pod\nmetadata: {name: x}"), /stage "x": is no Stage of kwok/);
    const broken = fast.replace("operator: Exists", "operator: Like");
    assert.throws(() => readStages(broken), /stage "pod-delete": operator: Like: not In, NotIn, Exists or DoesNotExist/);
  });
});

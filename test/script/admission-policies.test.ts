import assert from "node:assert/strict";
import { at, type Objects, refused } from "./api.ts";
import type { Thing } from "./encoding.ts";
import { change, changeStatus, createAndChange, discovered, removeAll } from "./operations.ts";
import { area, scenario, type World } from "./scenario.ts";

type Door = "validating" | "mutating";

const group = "admissionregistration.k8s.io";
const policies = ({ all }: World, door: Door): Objects => all(`${group}/v1`, `${door}admissionpolicies`);
const bindings = ({ all }: World, door: Door): Objects => all(`${group}/v1`, `${door}admissionpolicybindings`);

const deploymentRules = [{ apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"], operations: ["CREATE", "UPDATE"] }];

/** A policy for Deployments of the scenario's namespace, bound. */
async function enforce(world: World, door: Door, spec: object): Promise<void> {
  const { unique } = world;
  await world.all("v1", "namespaces").patch(world.namespace, { type: "merge", body: { metadata: { labels: { [unique]: "true" } } } });
  const namespaceSelector = { matchLabels: { [unique]: "true" } };
  const matchConstraints = { namespaceSelector, resourceRules: deploymentRules };
  const policyName = `${unique}.policy.example.com`;
  await policies(world, door).create({ metadata: { name: policyName }, spec: { matchConstraints, ...spec } });
  const actions = door === "validating" ? { validationActions: ["Deny"] } : {};
  const metadata = { name: `${unique}.binding.example.com` };
  await bindings(world, door).create({ metadata, spec: { policyName, matchResources: { namespaceSelector }, ...actions } });
}

const labels = { app: "nginx" };

function workload(name: string, replicas: number): object {
  const template = { metadata: { labels }, spec: { containers: [{ name: "nginx", image: "nginx:latest" }] } };
  return { metadata: { name, labels }, spec: { replicas, selector: { matchLabels: labels }, template } };
}

/** The answers to Deployments of so many replicas: the refusals' messages, "" for none. */
async function verdicts(world: World, counts: readonly number[]): Promise<string[]> {
  const deployments = world.own("apps/v1", "deployments");
  const found: string[] = [];
  for (const replicas of counts) {
    const created = deployments.create(workload(`replicated-${replicas}`, replicas));
    found.push(await created.then(() => "", async () => (await refused(created, 422)).message ?? ""));
  }
  return found;
}

/** Makes three objects of a kind and changes the last; its last state. */
async function supportsOperations(world: World, resource: string, objectOf: (name: string) => object): Promise<Thing> {
  await discovered(world, { group, resources: [resource] });
  const objects = world.all(`${group}/v1`, resource);
  const selection = { labelSelector: `example-e2e-label=${world.unique}` };
  const objectsOf = ["a", "b", "c"].map((letter) => objectOf(`e2e-${world.unique}-${letter}`));
  return createAndChange({ objects, selection, objectsOf });
}

const labelled = (world: World, name: string): object => ({ name, labels: { "example-e2e-label": world.unique } });
const matchConstraints = { resourceRules: deploymentRules };

async function changesFailurePolicy(objects: Objects, name: string): Promise<void> {
  const patched = await objects.patch(name, { type: "merge", body: { spec: { failurePolicy: "Ignore" } } });
  assert.equal(at(patched, "spec", "failurePolicy"), "Ignore");
  const updated = await change(objects, name, { spec: { failurePolicy: "Fail" } });
  assert.equal(at(updated, "spec", "failurePolicy"), "Fail");
}

async function removesAll(world: World, objects: Objects): Promise<void> {
  const selection = { labelSelector: `example-e2e-label=${world.unique}` };
  const { items } = await objects.list(selection);
  await removeAll({ objects, selection, objectsOf: items }, items.at(-1)?.metadata.name ?? "");
}

area("[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin]", () => {
  scenario("should validate against a Deployment", async (world) => {
    const validation = { expression: "object.spec.replicas > 1", messageExpression: "'wants replicas > 1, got ' + string(object.spec.replicas)" };
    const namespaced = { expression: "namespaceObject.metadata.name == object.metadata.namespace", message: "Internal error! Other namespace should not be allowed." };
    await enforce(world, "validating", { validations: [validation, namespaced] });
    const [one, two] = await verdicts(world, [1, 2]);
    assert.match(one ?? "", /denied request: wants replicas > 1, got 1/);
    assert.equal(two, "");
    await world.own("apps/v1", "replicasets").create(workload("non-replicated", 1));
  });

  scenario("should allow expressions to refer variables.", async (world) => {
    const variables = [
      { name: "replicas", expression: "object.spec.replicas" },
      { name: "oddReplicas", expression: "variables.replicas % 2 == 1" },
    ];
    const validations = [{ expression: "variables.replicas > 1" }, { expression: "variables.oddReplicas" }];
    await enforce(world, "validating", { variables, validations });
    const [one, two, three] = await verdicts(world, [1, 2, 3]);
    assert.match(one ?? "", /failed expression: variables\.replicas > 1/);
    assert.match(two ?? "", /failed expression: variables\.oddReplicas/);
    assert.equal(three, "");
  });

  scenario("should support ValidatingAdmissionPolicy API operations", async (world) => {
    const spec = { matchConstraints, validations: [{ expression: "object.spec.replicas <= 100" }] };
    const resource = "validatingadmissionpolicies";
    const updated = await supportsOperations(world, resource, (name) => ({ metadata: labelled(world, name), spec }));
    const objects = world.all(`${group}/v1`, resource);
    const name = updated.metadata.name ?? "";
    await discovered(world, { group, resources: [`${resource}/status`] });
    await changesFailurePolicy(objects, name);
    const condition = { status: "True", reason: "E2E", message: "Set from e2e test", lastTransitionTime: "2020-01-01T00:00:00Z" };
    const conditions = [{ ...condition, type: "PatchStatus" }, { ...condition, type: "UpdateStatus" }];
    await changeStatus(objects, name, { patch: { conditions: conditions.slice(0, 1) }, update: { status: { conditions } } });
    await removesAll(world, objects);
  });

  scenario("should support ValidatingAdmissionPolicyBinding API operations", async (world) => {
    const spec = { policyName: "replicalimit-policy.example.com", validationActions: ["Deny"] };
    const resource = "validatingadmissionpolicybindings";
    await supportsOperations(world, resource, (name) => ({ metadata: labelled(world, name), spec }));
    await removesAll(world, world.all(`${group}/v1`, resource));
  });
});

const annotating = {
  patchType: "ApplyConfiguration",
  applyConfiguration: { expression: 'Object{metadata: Object.metadata{annotations: {"mutated-by": "admission-policy"}}}' },
};

area("[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin]", () => {
  scenario("should mutate a Deployment with annotations", async (world) => {
    await enforce(world, "mutating", { mutations: [annotating], reinvocationPolicy: "Never" });
    const deployment = await world.own("apps/v1", "deployments").create(workload("test-deployment", 2));
    assert.equal(deployment.metadata.annotations?.["mutated-by"], "admission-policy");
  });

  scenario("should mutate a Deployment", async (world) => {
    const scaling = { patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{spec: Object.spec{replicas: object.spec.replicas + 100}}" } };
    const patching = { patchType: "JSONPatch", jsonPatch: { expression: '[JSONPatch{op: "add", path: "/metadata/labels/environment", value: "test"}]' } };
    await enforce(world, "mutating", { mutations: [scaling, patching], reinvocationPolicy: "Never" });
    const deployment = await world.own("apps/v1", "deployments").create(workload("replicated", 1));
    assert.equal(at(deployment, "spec", "replicas"), 101);
    assert.deepEqual(deployment.metadata.labels, { ...labels, environment: "test" });
    const other = await world.own("apps/v1", "replicasets").create(workload("other", 1));
    assert.equal(at(other, "spec", "replicas"), 1);
  });

  scenario("should support MutatingAdmissionPolicy API operations", async (world) => {
    const spec = { matchConstraints, mutations: [annotating], reinvocationPolicy: "Never" };
    const resource = "mutatingadmissionpolicies";
    const updated = await supportsOperations(world, resource, (name) => ({ metadata: labelled(world, name), spec }));
    const objects = world.all(`${group}/v1`, resource);
    await changesFailurePolicy(objects, updated.metadata.name ?? "");
    await removesAll(world, objects);
  });

  scenario("should support MutatingAdmissionPolicyBinding API operations", async (world) => {
    const resource = "mutatingadmissionpolicybindings";
    const spec = { policyName: "replicalimit-policy.example.com" };
    await supportsOperations(world, resource, (name) => ({ metadata: labelled(world, name), spec }));
    await removesAll(world, world.all(`${group}/v1`, resource));
  });
});

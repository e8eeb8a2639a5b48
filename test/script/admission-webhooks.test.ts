import assert from "node:assert/strict";
import { after, before } from "node:test";
import { type Hooks, serveHooks } from "./admission-hooks.ts";
import { at, edited, type Objects, refused } from "./api.ts";
import { type Custom, define, definitionOf } from "./custom.ts";
import type { Thing } from "./encoding.ts";
import { openKubectl } from "./kubectl.ts";
import { change, discovered } from "./operations.ts";
import { area, scenario, type World } from "./scenario.ts";

let hooks: Hooks;
before(async () => {
  hooks = await serveHooks();
});
after(() => hooks[Symbol.asyncDispose]());

type Door = "validating" | "mutating";

const configurations = ({ all }: World, door: Door): Objects =>
  all("admissionregistration.k8s.io/v1", `${door}webhookconfigurations`);

interface HookSpec {
  readonly path: string;
  readonly operations?: readonly string[];
  readonly group?: string;
  readonly resources: readonly string[];
  readonly [field: string]: unknown;
}

/** A webhook for what happens in the scenario's namespace, or outside of namespaces. */
function hookOf({ unique }: World, spec: HookSpec, name = "hook"): object {
  const { path, operations = ["CREATE"], group = "", resources, ...more } = spec;
  return {
    name: `${name}.k8s.io`,
    rules: [{ operations, apiGroups: [group], apiVersions: ["*"], resources }],
    clientConfig: hooks.clientConfig(path),
    sideEffects: "None",
    admissionReviewVersions: ["v1", "v1beta1"],
    namespaceSelector: { matchLabels: { [unique]: "true" } },
    ...more,
  };
}

/** Configures the hooks for the time of `run`. */
async function withHooks(world: World, door: Door, specs: readonly HookSpec[], run: () => Promise<void>): Promise<void> {
  await world.all("v1", "namespaces").patch(world.namespace, { type: "merge", body: { metadata: { labels: { [world.unique]: "true" } } } });
  const webhooks = specs.map((spec, i) => hookOf(world, spec, `hook-${i}`));
  const name = `${door}-${world.unique}`;
  await configurations(world, door).create({ metadata: { name }, webhooks });
  try {
    await run();
  } finally {
    await configurations(world, door).delete(name);
  }
}

const container = { name: "example", image: "pause:1" };
const start = { "mutation-start": "yes" };
const disallowed = { "webhook-e2e-test": "webhook-disallow" };

async function denied(answer: Promise<unknown>, why: RegExp): Promise<void> {
  assert.match((await refused(answer, 400)).message ?? "", why);
}

/** An edit of a configuration: the operations of its first rule. */
const operating = (operations: readonly string[]) => (old: Thing): object => {
  const [webhook] = at(old, "webhooks") as { readonly rules: readonly object[] }[];
  return { webhooks: [{ ...webhook, rules: [{ ...webhook?.rules[0], operations }] }] };
};

/** What a ConfigMap tells of the hooks it met: refused, changed, or neither. */
async function fateOf(world: World, door: Door, name: string): Promise<"met" | "missed"> {
  const created = world.own("v1", "configmaps").create({ metadata: { name }, data: { ...start, ...disallowed } });
  if (door === "mutating") return at(await created, "data", "mutation-stage-1") === "yes" ? "met" : "missed";
  return created.then(() => "missed", () => "met");
}

const doorPaths = { validating: "/configmaps", mutating: "/mutating-configmaps" } as const;

async function listAndDelete(world: World, door: Door): Promise<void> {
  await world.all("v1", "namespaces").patch(world.namespace, { type: "merge", body: { metadata: { labels: { [world.unique]: "true" } } } });
  const objects = configurations(world, door);
  for (let i = 0; i < 10; i++) {
    const metadata = { name: `list-${world.unique}-${i}`, labels: { "e2e-list-test-uuid": world.unique } };
    await objects.create({ metadata, webhooks: [hookOf(world, { path: doorPaths[door], resources: ["configmaps"] })] });
  }
  const selection = { labelSelector: `e2e-list-test-uuid=${world.unique}` };
  assert.equal((await objects.list(selection)).items.length, 10);
  assert.equal(await fateOf(world, door, "one"), "met");
  await objects.deleteAll(selection);
  assert.equal(await fateOf(world, door, "two"), "missed");
}

const conditions = [
  { name: "expression-1", expression: "object.metadata.namespace == 'production'" },
  { name: "expression-2", expression: "object.metadata.namespace == 'staging'" },
];

async function keepsConditions(world: World, door: Door): Promise<void> {
  const objects = configurations(world, door);
  const name = `conditions-${world.unique}`;
  const spec = { path: "/add-label", resources: ["configmaps"], matchConditions: conditions };
  await objects.create({ metadata: { name }, webhooks: [hookOf(world, spec)] });
  assert.deepEqual(at(await objects.get(name), "webhooks", 0, "matchConditions"), conditions);
  const updated = conditions.slice(0, 1);
  const changed = await change(objects, name, (old) => {
    const [webhook] = at(old, "webhooks") as object[];
    return { webhooks: [{ ...webhook, matchConditions: updated }] };
  });
  assert.deepEqual(at(changed, "webhooks", 0, "matchConditions"), updated);
  assert.deepEqual(at(await objects.get(name), "webhooks", 0, "matchConditions"), updated);
  await objects.delete(name);
}

async function refusesConditions(world: World, door: Door): Promise<void> {
  const matchConditions = [...conditions, { name: "invalid-expression", expression: "... [] bad expression" }];
  const webhooks = [hookOf(world, { path: "/add-label", resources: ["configmaps"], matchConditions })];
  const { message } = await refused(configurations(world, door).create({ metadata: { name: world.unique }, webhooks }), 422);
  assert.match(message ?? "", /compilation failed/);
}

area("[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin]", () => {
  scenario("should include webhook resources in discovery documents", (world) =>
    discovered(world, {
      group: "admissionregistration.k8s.io",
      resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    }));

  scenario("should be able to deny pod and configmap creation", async (world) => {
    const unreachable = { clientConfig: { ...hooks.clientConfig("/x"), url: "https://127.0.0.1:1/" }, failurePolicy: "Ignore" };
    const specs: HookSpec[] = [
      { path: "/pods", resources: ["pods"] },
      { path: "/configmaps", operations: ["CREATE", "UPDATE", "DELETE"], resources: ["configmaps"] },
      { path: "", resources: ["configmaps"], ...unreachable },
    ];
    await withHooks(world, "validating", specs, async () => {
      const pods = world.own("v1", "pods");
      const bad = { metadata: { name: "disallowed-pod", labels: disallowed }, spec: { containers: [{ ...container, name: "webhook-disallow" }] } };
      await denied(pods.create(bad), /the pod contains unwanted container name; the pod contains unwanted label/);
      const maps = world.own("v1", "configmaps");
      await denied(maps.create({ metadata: { name: "disallowed-configmap" }, data: disallowed }), /unwanted key and value/);
      const allowed = await maps.create({ metadata: { name: "allowed-configmap" }, data: { admit: "this" } });
      await denied(maps.update(edited(allowed, { data: disallowed })), /unwanted key and value/);
      await denied(maps.patch("allowed-configmap", { type: "strategic", body: { data: disallowed } }), /unwanted key and value/);
      const elsewhere = `${world.unique}-skipped`;
      await world.all("v1", "namespaces").create({ metadata: { name: elsewhere } });
      await world.api.objects("v1", "configmaps", elsewhere).create({ metadata: { name: "disallowed-configmap" }, data: disallowed });
    });
    await withHooks(world, "validating", [{ path: "/hold", resources: ["pods"], timeoutSeconds: 1 }], async () => {
      const hanging = world.own("v1", "pods").create({ metadata: { name: "hanging-pod" }, spec: { containers: [container] } });
      assert.match((await refused(hanging, 500)).message ?? "", /failed calling webhook "hook-0\.k8s\.io".*deadline exceeded/);
    });
  });

  scenario("should be able to deny attaching pod", async (world) => {
    await world.own("v1", "pods").create({ metadata: { name: "to-be-attached-pod" }, spec: { containers: [container] } });
    const attach = { path: "/pods/attach", operations: ["CONNECT"], resources: ["pods/attach"] };
    await withHooks(world, "validating", [attach], async () => {
      await using kubectl = await openKubectl(world);
      const { code, stderr } = await kubectl.run(["attach", "to-be-attached-pod", "-i", "-c=example"]);
      assert.equal(code, 1);
      assert.match(stderr, /attaching to pod 'to-be-attached-pod' is not allowed/);
    });
  });

  scenario("should be able to deny custom resource creation, update and deletion", async (world) => {
    const { group, plural, objects } = await define(world);
    const spec = { path: "/custom-resource", group, resources: [plural], operations: ["CREATE", "UPDATE", "DELETE"] };
    await withHooks(world, "validating", [spec], async () => {
      await denied(objects().create({ metadata: { name: "cr-instance-1" }, data: disallowed }), /unwanted key and value/);
      const made = await objects().create({ metadata: { name: "cr-instance-2" }, data: { "webhook-e2e-test": "webhook-nondeletable" } });
      await denied(objects().update(edited(made, { data: disallowed })), /unwanted key and value/);
      await denied(objects().delete("cr-instance-2"), /unwanted key and value/);
      await change(objects(), "cr-instance-2", { data: { "webhook-e2e-test": null } });
      await objects().delete("cr-instance-2");
    });
  });

  scenario("should unconditionally reject operations on fail closed webhook", async (world) => {
    const nowhere = { namespace: world.namespace, name: "none", path: "/configmaps" };
    const spec = { path: "", resources: ["configmaps"], failurePolicy: "Fail", clientConfig: { service: nowhere, caBundle: hooks.caBundle } };
    await withHooks(world, "validating", [spec], async () => {
      const { reason, message } = await refused(world.own("v1", "configmaps").create({ metadata: { name: "foo" } }), 500);
      assert.equal(reason, "InternalError");
      assert.match(message ?? "", /failed calling webhook "hook-0\.k8s\.io": failed to call webhook: .*service "none" not found/);
    });
  });

  scenario("should mutate configmap", async (world) => {
    const spec = { path: "/mutating-configmaps", resources: ["configmaps"] };
    await withHooks(world, "mutating", [spec, spec], async () => {
      const { data } = await world.own("v1", "configmaps").create({ metadata: { name: "to-be-mutated" }, data: start });
      assert.deepEqual(data, { ...start, "mutation-stage-1": "yes", "mutation-stage-2": "yes" });
    });
  });

  scenario("should mutate pod and apply defaults after mutation", async (world) => {
    await withHooks(world, "mutating", [{ path: "/mutating-pods", resources: ["pods"] }], async () => {
      const pod = await world.own("v1", "pods").create({ metadata: { name: "webhook-to-be-mutated" }, spec: { containers: [container] } });
      const [init, ...more] = at(pod, "spec", "initContainers") as { name: string; terminationMessagePolicy: string }[];
      assert.deepEqual([init?.name, init?.terminationMessagePolicy, more], ["webhook-added-init-container", "File", []]);
    });
  });

  scenario("should not be able to mutate or prevent deletion of webhook configuration objects", async (world) => {
    const both = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"];
    const spec = { group: "admissionregistration.k8s.io", resources: both, operations: ["*"], namespaceSelector: {} };
    await withHooks(world, "validating", [{ ...spec, path: "/always-deny" }], () =>
      withHooks(world, "mutating", [{ ...spec, path: "/add-label" }], async () => {
        for (const door of ["validating", "mutating"] as const) {
          const name = `dummy-${world.unique}`;
          const webhooks = [hookOf(world, { path: "/none", resources: ["invalid"], failurePolicy: "Ignore" })];
          const made = await configurations(world, door).create({ metadata: { name }, webhooks });
          assert.equal(made.metadata.labels, undefined);
          await configurations(world, door).delete(name);
          await refused(configurations(world, door).get(name), 404);
        }
      }));
  });

  scenario("should mutate custom resource", async (world) => {
    const { group, plural, objects } = await define(world);
    const spec = { path: "/mutating-custom-resource", group, resources: [plural] };
    await withHooks(world, "mutating", [spec, spec], async () => {
      const { data } = await objects().create({ metadata: { name: "cr-instance-1" }, data: start });
      assert.deepEqual(data, { ...start, "mutation-stage-1": "yes", "mutation-stage-2": "yes" });
    });
  });

  scenario("should deny crd creation", async (world) => {
    const spec = { path: "/crd", group: "apiextensions.k8s.io", resources: ["customresourcedefinitions"], namespaceSelector: {} };
    await withHooks(world, "validating", [spec], async () => {
      const definitions = world.all("apiextensions.k8s.io/v1", "customresourcedefinitions");
      await denied(definitions.create(definitionOf(world, { labels: disallowed })), /the crd contains unwanted label/);
    });
  });

  scenario("should mutate custom resource with different stored version", async (world) => {
    const custom = await define(world, { versions: [{ name: "v1" }, { name: "v2" }] });
    const { group, plural, objects, definitions, definition } = custom;
    const spec = { path: "/mutating-custom-resource", group, resources: [plural], operations: ["CREATE", "UPDATE"] };
    await withHooks(world, "mutating", [spec], async () => {
      await objects("v1").create({ metadata: { name: "cr-instance-1" }, data: start });
      const swapped = ["v1", "v2"].map((_, i) => ({ op: "replace", path: `/spec/versions/${i}/storage`, value: i === 1 }));
      await definitions.patch(definition.metadata.name ?? "", { type: "json", body: swapped });
      const { data } = await objects("v1").patch("cr-instance-1", { type: "merge", body: { data: { "mutation-start": "yes" } } });
      assert.deepEqual(data, { ...start, "mutation-stage-1": "yes", "mutation-stage-2": "yes" });
    });
  });

  scenario("should mutate custom resource with pruning", async (world) => {
    const data = { type: "object", properties: { "mutation-start": { type: "string" }, "mutation-stage-1": { type: "string" } } };
    const custom: Custom = await define(world, { versions: [{ name: "v1", schema: { type: "object", properties: { data } } }] });
    const spec = { path: "/mutating-custom-resource", group: custom.group, resources: [custom.plural] };
    await withHooks(world, "mutating", [spec, spec], async () => {
      const made = await custom.objects().create({ metadata: { name: "cr-instance-1" }, data: start });
      assert.deepEqual(made["data"], { ...start, "mutation-stage-1": "yes" });
    });
  });

  scenario("should honor timeout", async (world) => {
    const slow = { path: "/hold", resources: ["configmaps"] };
    const maps = world.own("v1", "configmaps");
    const create = (name: string) => maps.create({ metadata: { name } });
    await withHooks(world, "validating", [{ ...slow, timeoutSeconds: 1, failurePolicy: "Fail" }], async () => {
      const { message } = await refused(create("short"), 500);
      assert.match(message ?? "", /failed to call webhook: Post "https:.*timeout=1s": context deadline exceeded/);
      await hooks.held();
    });
    await withHooks(world, "validating", [{ ...slow, timeoutSeconds: 1, failurePolicy: "Ignore" }], async () => {
      await create("ignored");
      await hooks.held();
    });
    for (const [name, timeout] of [["longer", { timeoutSeconds: 10 }], ["default", {}]] as const) {
      await withHooks(world, "validating", [{ ...slow, ...timeout }], async () => {
        const made = create(name);
        (await hooks.held())();
        await made;
      });
    }
  });

  scenario("patching/updating a validating webhook should work", async (world) => {
    const maps = world.own("v1", "configmaps");
    const name = `validating-${world.unique}`;
    const create = (of: string) => maps.create({ metadata: { name: of }, data: disallowed });
    await withHooks(world, "validating", [{ path: "/configmaps", resources: ["configmaps"] }], async () => {
      await denied(create("one"), /unwanted key and value/);
      await change(configurations(world, "validating"), name, operating(["UPDATE"]));
      await create("two");
      const body = [{ op: "replace", path: "/webhooks/0/rules/0/operations", value: ["CREATE"] }];
      await configurations(world, "validating").patch(name, { type: "json", body });
      await denied(create("three"), /unwanted key and value/);
    });
  });

  scenario("patching/updating a mutating webhook should work", async (world) => {
    const maps = world.own("v1", "configmaps");
    const name = `mutating-${world.unique}`;
    const stage = async (of: string) => at(await maps.create({ metadata: { name: of }, data: start }), "data", "mutation-stage-1");
    await withHooks(world, "mutating", [{ path: "/mutating-configmaps", resources: ["configmaps"] }], async () => {
      assert.equal(await stage("one"), "yes");
      await change(configurations(world, "mutating"), name, operating(["UPDATE"]));
      assert.equal(await stage("two"), undefined);
      const body = [{ op: "replace", path: "/webhooks/0/rules/0/operations", value: ["CREATE"] }];
      await configurations(world, "mutating").patch(name, { type: "json", body });
      assert.equal(await stage("three"), "yes");
    });
  });

  scenario("listing validating webhooks should work", (world) => listAndDelete(world, "validating"));
  scenario("listing mutating webhooks should work", (world) => listAndDelete(world, "mutating"));
  scenario("should be able to create and update validating webhook configurations with match conditions", (world) => keepsConditions(world, "validating"));
  scenario("should be able to create and update mutating webhook configurations with match conditions", (world) => keepsConditions(world, "mutating"));
  scenario("should reject validating webhook configurations with invalid match conditions", (world) => refusesConditions(world, "validating"));
  scenario("should reject mutating webhook configurations with invalid match conditions", (world) => refusesConditions(world, "mutating"));

  scenario("should mutate everything except 'skip-me' configmaps", async (world) => {
    const matchConditions = [{ name: "skip-me", expression: "object.metadata.name != 'skip-me'" }];
    const spec = { path: "/mutating-configmaps", resources: ["configmaps"], matchConditions };
    await withHooks(world, "mutating", [spec, spec], async () => {
      const maps = world.own("v1", "configmaps");
      const mutated = await maps.create({ metadata: { name: "mutate-me" }, data: start });
      assert.deepEqual(mutated["data"], { ...start, "mutation-stage-1": "yes", "mutation-stage-2": "yes" });
      const skipped = await maps.create({ metadata: { name: "skip-me" }, data: start });
      assert.deepEqual(skipped["data"], start);
    });
  });
});

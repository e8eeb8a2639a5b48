import assert from "node:assert/strict";
import { resourceQuotas } from "#api/core/v1/resource-quota.ts";
import { replicaSets } from "#api/apps/v1/replica-set.ts";
import { events } from "#api/core/v1/event.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { parseYaml } from "#wire/yaml.ts";
import type { WhyAnswer } from "#cmd/why/why.ts";
import { area, scenario, type SchedulingWorld } from "./scheduling-world.ts";

async function why({ cluster, namespace }: SchedulingWorld, name: string): Promise<WhyAnswer> {
  const { users } = parseYaml(Buffer.from(cluster.kubeconfig)).value as {
    users: { user: Record<"client-certificate-data" | "client-key-data", string> }[];
  };
  const text = (key: "client-certificate-data" | "client-key-data"): string =>
    Buffer.from(users[0]?.user[key] ?? "", "base64").toString("utf8");
  const tls = { insecure: true, cert: text("client-certificate-data"), key: text("client-key-data") };
  await using http = createHttpClient({ baseUrl: cluster.url, tls });
  const path = `/debug/why/namespaces/${namespace}/pods/${name}`;
  const response = await http.request({ method: "GET", path });
  assert.equal(response.status, 200);
  return JSON.parse(Buffer.from(await response.readAll()).toString("utf8")) as WhyAnswer;
}

area("/debug/why", () => {
  scenario("tells what each plugin refused on which node", async (world) => {
    await world.createPod("large", { requests: { cpu: "64" }, nodeSelector: { "kubernetes.io/os": "linux" } });
    await world.failed("large");
    const { findings, attempt } = await why(world, "large");
    assert.deepEqual(findings.map(({ sentence }) => sentence), [
      "3 of 3 nodes: not enough cpu left for what it requests (hollow-0, hollow-1, hollow-2).",
    ]);
    assert.deepEqual([attempt?.outcome, attempt?.attempts], ["Unschedulable", 1]);
    const refusals = [{ plugin: "NodeResourcesFit", reasons: ["Insufficient cpu"] }];
    assert.deepEqual(attempt?.verdicts, world.nodeNames.map((node) => ({ node, refusals })));
  });

  scenario("tells of the quota that a ReplicaSet ran into", async (world) => {
    const { client, namespace, cluster } = world;
    await client.resource(resourceQuotas).create({ metadata: { name: "none", namespace }, spec: { hard: { pods: "0" } } });
    await world.until(resourceQuotas, `${namespace}/none`, ({ status }) => status?.hard?.["pods"] === "0");
    const { promise, resolve } = Promise.withResolvers<void>();
    using _ = cluster.informers.of(events).subscribe({
      onAdd: ({ reason, metadata }) => void (metadata?.namespace === namespace && reason === "FailedCreate" && resolve()),
    });
    const labels = { app: "web" };
    await client.resource(replicaSets).create({
      metadata: { name: "web", namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "app" }] } },
      },
    });
    await promise;
    const { findings } = await why(world, "web-x");
    assert.equal(findings[0]?.sentence, `There is no Pod web-x in namespace ${namespace}.`);
    assert.match(findings[1]?.sentence ?? "", /^ReplicaSet web cannot create its Pods: pods "web-.*" is forbidden: exceeded quota: none/);
  });
});

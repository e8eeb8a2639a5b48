import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Kubectl, openKubectl } from "../script/kubectl.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

let server: TestServer;
let kubectl: Kubectl;

before(async () => {
  server = await startTestServer();
  kubectl = await openKubectl({ server, namespace: "default" });
});

after(async () => {
  await kubectl[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gardens.plants.example.com" },
  spec: {
    group: "plants.example.com",
    scope: "Namespaced",
    names: { plural: "gardens", singular: "garden", kind: "Garden", shortNames: ["gd"], categories: ["all"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: ".spec.beds", statusReplicasPath: ".status.beds" } },
        additionalPrinterColumns: [
          { name: "Beds", type: "integer", jsonPath: ".spec.beds" },
          { name: "Soil", type: "string", jsonPath: ".spec.soil", priority: 1 },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "A place for plants.",
            properties: {
              spec: {
                type: "object",
                properties: { beds: { type: "integer", minimum: 1, default: 2 }, soil: { type: "string", enum: ["clay", "loam"], description: "What they grow in." } },
              },
              status: { type: "object", properties: { beds: { type: "integer" } }, "x-kubernetes-preserve-unknown-fields": true },
            },
          },
        },
      },
    ],
  },
};

const garden = { apiVersion: "plants.example.com/v1", kind: "Garden", metadata: { name: "back" }, spec: { soil: "loam" } };

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kubectl.run(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

test("kubectl makes a definition and at once its instance, waits, shows, scales and explains", async () => {
  assert.equal((await kubectl.run(["create", "-f", "-"], JSON.stringify(definition))).stdout, "customresourcedefinition.apiextensions.k8s.io/gardens.plants.example.com created\n");
  assert.equal((await kubectl.run(["create", "-f", "-"], JSON.stringify(garden))).stdout, "garden.plants.example.com/back created\n");
  assert.equal(
    await run("wait", "--for=condition=Established", "crd/gardens.plants.example.com", "--timeout=10s"),
    "customresourcedefinition.apiextensions.k8s.io/gardens.plants.example.com condition met\n",
  );
  assert.match(await run("get", "crd"), /^NAME +CREATED AT\ngardens\.plants\.example\.com +20\d\d-/);
  assert.match(await run("get", "gd"), /^NAME +BEDS\nback +2\n$/);
  assert.match(await run("get", "gd", "-o", "wide"), /^NAME +BEDS +SOIL\nback +2 +loam\n$/);
  assert.match(await run("get", "all"), /garden\.plants\.example\.com\/back +2/);
  assert.equal(await run("scale", "garden/back", "--replicas=5"), "garden.plants.example.com/back scaled\n");
  assert.equal(await run("get", "garden", "back", "-o", "jsonpath={.spec.beds}"), "5");
  assert.match(await run("explain", "garden"), /KIND: +Garden\nVERSION: +v1\n\nDESCRIPTION:\n +A place for plants\./);
  assert.match(await run("explain", "garden.spec.soil"), /FIELD: soil <string>\nENUM:\n +clay\n +loam\n\nDESCRIPTION:\n +What they grow in\./);
  const refused = await kubectl.run(["patch", "garden", "back", "--type=merge", "-p", '{"spec":{"soil":"sand"}}']);
  assert.match(refused.stderr, /spec\.soil: Unsupported value: "sand": supported values: "clay", "loam"/);
  assert.match(await run("describe", "garden", "back"), /API Version: +plants\.example\.com\/v1\nKind: +Garden/);
});

test("kubectl waits for a field of an instance, and for the end of a definition", async () => {
  const waiting = kubectl.run(["wait", "--for=jsonpath={.status.phase}=Green", "garden/back", "--timeout=20s"]);
  await run("patch", "garden", "back", "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Green"}}');
  assert.equal((await waiting).stdout, "garden.plants.example.com/back condition met\n");
  assert.match(await run("delete", "crd", "gardens.plants.example.com"), /"gardens\.plants\.example\.com" deleted/);
  assert.match((await kubectl.run(["get", "gardens"])).stderr, /the server could not find the requested resource/);
  assert.equal((await kubectl.run(["get", "crd"])).stderr, "No resources found\n");
});

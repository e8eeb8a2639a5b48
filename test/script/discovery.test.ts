import assert from "node:assert/strict";
import type { Api } from "./api.ts";
import { area, scenario } from "./scenario.ts";

/** A resource of each group that the suite looks for. */
const expected = [
  ["admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"],
  ["apiextensions.k8s.io/v1", "customresourcedefinitions"],
  ["apiregistration.k8s.io/v1", "apiservices"],
  ["apps/v1", "deployments"],
  ["authentication.k8s.io/v1", "tokenreviews"],
  ["authorization.k8s.io/v1", "selfsubjectaccessreviews"],
  ["autoscaling/v1", "horizontalpodautoscalers"],
  ["autoscaling/v2", "horizontalpodautoscalers"],
  ["batch/v1", "jobs"],
  ["certificates.k8s.io/v1", "certificatesigningrequests"],
  ["coordination.k8s.io/v1", "leases"],
  ["discovery.k8s.io/v1", "endpointslices"],
  ["events.k8s.io/v1", "events"],
  ["networking.k8s.io/v1", "ingresses"],
  ["node.k8s.io/v1", "runtimeclasses"],
  ["policy/v1", "poddisruptionbudgets"],
  ["scheduling.k8s.io/v1", "priorityclasses"],
  ["storage.k8s.io/v1", "csinodes"],
] as const;

interface AggregatedDocument {
  readonly kind: string;
  readonly apiVersion: string;
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly { readonly resource: string }[] }[];
  }[];
}

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** `group/version resource` of everything in an aggregated document. */
async function aggregatedOf(api: Api, path: string, accept: string): Promise<Set<string>> {
  const { code, headers, body } = await api.ask("GET", path, { accept });
  assert.equal(code, 200);
  assert.equal(headers["content-type"], aggregated);
  const { kind, apiVersion, items } = body as AggregatedDocument;
  assert.deepEqual([kind, apiVersion], ["APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"]);
  return new Set(
    items.flatMap(({ metadata: { name }, versions }) =>
      versions.flatMap(({ version, resources }) =>
        resources.map(({ resource }) => `${name ? `${name}/` : ""}${version} ${resource}`),
      ),
    ),
  );
}

async function hasAll(api: Api, accept: string): Promise<void> {
  const groups = await aggregatedOf(api, "/apis", accept);
  assert.deepEqual(expected.filter(([version, resource]) => !groups.has(`${version} ${resource}`)), []);
  assert.ok((await aggregatedOf(api, "/api", accept)).has("v1 namespaces"));
}

area("[sig-api-machinery] AggregatedDiscovery", () => {
  scenario("should support raw aggregated discovery endpoint Accept headers", ({ api }) => hasAll(api, aggregated), ["json"]);

  // What client-go's discovery client asks for: the newest form that the server has.
  const offered = `${aggregated},${aggregated.replace("v=v2", "v=v2beta1")},application/json`;
  scenario("should support aggregated discovery interface", ({ api }) => hasAll(api, offered), ["json"]);
});

interface Group {
  readonly name: string;
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
  readonly preferredVersion: { readonly groupVersion: string; readonly version: string };
}

area("[sig-api-machinery] Discovery", () => {
  scenario(
    "should validate PreferredVersion for each APIGroup",
    async ({ api }) => {
      const { groups } = (await api.get("/apis/")) as { groups?: readonly Group[] };
      assert.ok(groups !== undefined && groups.length > 0);
      for (const { name } of groups) {
        const group = (await api.get(`/apis/${name}/`)) as unknown as Group;
        assert.equal(group.name, name);
        assert.ok(group.preferredVersion.groupVersion.includes(name));
        assert.ok(group.versions.some((one) => one.groupVersion === group.preferredVersion.groupVersion));
      }
    },
    ["json"],
  );

  scenario(
    "should locate the groupVersion and a resource within each APIGroup",
    async ({ api }) => {
      for (const [groupVersion, resource] of [["v1", "namespaces"], ...expected] as const) {
        const document = await api.get(`${groupVersion === "v1" ? "/api" : "/apis"}/${groupVersion}`);
        assert.deepEqual([document["kind"], document["groupVersion"]], ["APIResourceList", groupVersion]);
        const names = (document["resources"] as { name: string }[]).map(({ name }) => name);
        assert.ok(names.includes(resource), `${groupVersion} has ${resource}`);
      }
    },
    ["json"],
  );
});

area("[sig-api-machinery] server version", () => {
  scenario(
    "should find the server version",
    async ({ api }) => {
      const { major, minor, gitVersion } = await api.get("/version");
      assert.match(String(major), /^\d+$/);
      assert.match(String(minor), /^\d+$/);
      assert.match(String(gitVersion), /^v1\.36\./);
    },
    ["json"],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import type { VolumeProjection } from "#api/core/v1/projected-volume.ts";
import {
  configMapPayload,
  downwardPayload,
  type PayloadSources,
  projectedPayload,
  secretPayload,
} from "./payload.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const fields = { podIps: ["10.0.0.9"], hostIps: [], allocatable: { cpu: "2" } };

const sources: PayloadSources = {
  fields,
  objects: {
    configMap: async (_, name) =>
      name === "map"
        ? { metadata: {}, data: { a: "1" }, binaryData: { b: base64("\u0000") } }
        : undefined,
    secret: async (_, name) =>
      name === "keys" ? { metadata: {}, data: { pin: base64("0000") } } : undefined,
  },
  tokens: { token: async (_, { audience = "" }) => `token for ${audience}` },
  trustBundle: async ({ name }) => (name === "ca" ? "PEM" : undefined),
};

function podOf(spec: Partial<Pod["spec"]> = {}): Pod {
  const metadata = { name: "web", namespace: "shop", labels: { b: "2", a: 'q"1' } };
  return { metadata, spec: { containers: [{ name: "main" }], ...spec } };
}

async function print(
  payload: Promise<Awaited<ReturnType<typeof projectedPayload>>>,
): Promise<string> {
  const files = [...(await payload)].map(
    ([path, { content, mode }]) => `${path}:${mode.toString(8)}=${Buffer.from(content).toString()}`,
  );
  return files.join(" ");
}

test("configMapPayload and secretPayload take all keys, or those that are asked for", async () => {
  const mode = 0o644;
  const pod = podOf();
  const all = configMapPayload(pod, { name: "map", mode }, sources.objects);
  assert.equal(await print(all), "a:644=1 b:644=\u0000");
  const items = [{ key: "pin", path: "sub/p", mode: 0o400 }];
  const some = secretPayload(pod, { name: "keys", items, mode }, sources.objects);
  assert.equal(await print(some), "sub/p:400=0000");
});

const missing = [
  [{ name: "none", mode: 0 }, 'configmap "none" not found'],
  [{ name: "none", mode: 0, optional: true }, undefined],
  [
    { name: "map", mode: 0, items: [{ key: "x", path: "x" }] },
    "configmap references non-existent config key: x",
  ],
  [{ name: "map", mode: 0, items: [{ key: "x", path: "x" }], optional: true }, undefined],
] as const;

for (const [source, message] of missing) {
  test(`configMapPayload of ${JSON.stringify(source)}`, async () => {
    const items = "items" in source ? { items: [...source.items] } : {};
    const reading = configMapPayload(podOf(), { ...source, ...items }, sources.objects);
    if (message === undefined) assert.equal((await reading).size, 0);
    else await assert.rejects(reading, { message });
  });
}

test("downwardPayload writes fields and resources", async () => {
  const items = [
    { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
    {
      path: "cpu",
      resourceFieldRef: { containerName: "main", resource: "limits.cpu" },
      mode: 0o600,
    },
  ];
  const payload = downwardPayload(podOf(), { items, mode: 0o644 }, fields);
  assert.equal(await print(Promise.resolve(payload)), 'labels:644=a="q\\"1"\nb="2" cpu:600=2');
});

test("projectedPayload lays its sources over one another", async () => {
  const projections: VolumeProjection[] = [
    { configMap: { name: "map", items: [{ key: "a", path: "x" }] } },
    { secret: { name: "keys", items: [{ key: "pin", path: "x" }] } },
    { serviceAccountToken: { path: "token", audience: "api" } },
    { clusterTrustBundle: { name: "ca", path: "ca.pem" } },
    { clusterTrustBundle: { name: "none", path: "none.pem", optional: true } },
  ];
  const payload = projectedPayload(podOf(), { sources: projections }, sources);
  assert.equal(
    await print(payload),
    "x:644=0000 token:644=token for api ca.pem:644=PEM none.pem:644=",
  );
});

test("projectedPayload keeps a token to the user that the containers have in common", async () => {
  const projections = [{ serviceAccountToken: { path: "token" } }];
  const rows = [
    [podOf(), undefined, 0o644],
    [podOf({ securityContext: { runAsUser: 5 } }), 5, 0o600],
    [podOf({ securityContext: { fsGroup: 7 } }), undefined, 0o600],
    [
      podOf({
        securityContext: { runAsUser: 5 },
        containers: [{ name: "a" }, { name: "b", securityContext: { runAsUser: 6 } }],
      }),
      undefined,
      0o644,
    ],
  ] as const;
  for (const [pod, uid, mode] of rows) {
    const file = (await projectedPayload(pod, { sources: projections }, sources)).get("token");
    assert.deepEqual([file?.uid, file?.mode], [uid, mode]);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openEncryption } from "./encryption.ts";

const head = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n";
const key = (bytes: number): string => Buffer.alloc(bytes, "k").toString("base64");
const secrets = "{resources: [secrets], providers: [{identity: {}}]}";

async function problemOf(text: string, reload = false): Promise<string> {
  const files = createVirtualFiles();
  await files.write("/enc.yaml", text);
  const ports = { files, clock: createVirtualClock(), random: createVirtualRandom(1), log: silentLogger };
  try {
    (await openEncryption({ ...ports, path: "/enc.yaml", reload }))[Symbol.dispose]();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const providersWith = (provider: string): string => `${head}resources: [{resources: [secrets], providers: [${provider}]}]`;
const resourcesOf = (list: string): string => `${head}resources: [{resources: [${list}], providers: [{identity: {}}]}]`;
const kms = (fields: string): string => providersWith(`{kms: {${fields}}}`);

const decoding = 'error while parsing file: error decoding encryption provider configuration file "/enc.yaml": ';
const parsing = "error while parsing file: ";
const provider = "resources[0].providers[0]";
const overlap =
  "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked";

const refused: readonly [text: string, problem: string][] = [
  ["", `${parsing}error while loading file: encryption provider configuration file "/enc.yaml" is empty`],
  [`${head}resourcess: []`, `${decoding}strict decoding error: unknown field "resourcess"`],
  [
    providersWith("{aescbc: {keys: [], kyes: []}}"),
    `${decoding}strict decoding error: unknown field "resources[0].providers[0].aescbc.kyes"`,
  ],
  ["apiVersion: apiserver.config.k8s.io/v1\n", `${decoding}Object 'Kind' is missing`],
  [head, `${parsing}resources: Required value: at least one resources is required`],
  [
    `${head}resources: [{resources: [], providers: []}]`,
    `${parsing}[resources[0].resources: Required value: at least one resources[0].resources is required, resources[0].providers: Required value: at least one resources[0].providers is required]`,
  ],
  [resourcesOf("secrets, '*.'"), `${parsing}resources[0].resources: Invalid value: ["secrets","*."]: ${overlap}`],
  [resourcesOf("a.b, '*.*'"), `${parsing}resources[0].resources: Invalid value: ["a.b","*.*"]: ${overlap}`],
  [
    resourcesOf("pods, pods"),
    `${parsing}resources[0].resources: Invalid value: ["pods","pods"]: the same resource cannot be specified multiple times`,
  ],
  [
    resourcesOf("Secrets"),
    `${parsing}resources[0].resources[0]: Invalid value: "Secrets": resource name should not contain capital letters`,
  ],
  [
    resourcesOf("'*'"),
    `${parsing}resources[0].resources[0]: Invalid value: "*": use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources`,
  ],
  [
    resourcesOf("'pods.*'"),
    `${parsing}resources[0].resources[0]: Invalid value: "pods.*": encrypting the same resource across groups is not supported`,
  ],
  [
    resourcesOf("serviceipallocations"),
    `${parsing}resources[0].resources[0]: Invalid value: "serviceipallocations": resources which do not have REST API/s cannot be encrypted`,
  ],
  [
    resourcesOf("events.events.k8s.io"),
    `${parsing}resources[0].resources[0]: Invalid value: "events.events.k8s.io": '*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file`,
  ],
  [
    providersWith("{}"),
    `${parsing}${provider}: Invalid value: {"AESGCM":null,"AESCBC":null,"Secretbox":null,"Identity":null,"KMS":null}: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity`,
  ],
  [providersWith("{aescbc: {keys: []}}"), `${parsing}${provider}.aescbc.keys: Required value: at least one keys is required`],
  [
    providersWith(`{aesgcm: {keys: [{name: a, secret: ${key(15)}}]}}`),
    `${parsing}${provider}.aesgcm.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 15, expected one of [16 24 32]`,
  ],
  [
    providersWith(`{secretbox: {keys: [{name: '', secret: ${key(16)}}]}}`),
    `${parsing}[${provider}.secretbox.keys[0].name: Required value: name is a mandatory field for a key, ${provider}.secretbox.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 16, expected one of [32]]`,
  ],
  [
    providersWith("{aesgcm: {keys: [{name: a, secret: '%'}]}}"),
    `${parsing}${provider}.aesgcm.keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded`,
  ],
  [
    kms("apiVersion: v3, name: a, endpoint: 'unix:///a.sock'"),
    `${parsing}${provider}.kms.apiVersion: Invalid value: "v3": unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported`,
  ],
  [
    kms("apiVersion: v2, name: 'a:b', endpoint: 'tcp://a', timeout: 0s, cachesize: 5"),
    `${parsing}[${provider}.kms.name: Invalid value: "a:b": invalid KMS provider name a:b, must not contain ':', ${provider}.kms.timeout: Invalid value: "0s": timeout should be a positive value, ${provider}.kms.endpoint: Invalid value: "tcp://a": unsupported scheme "tcp" for KMS provider, only unix is supported, ${provider}.kms.cachesize: Invalid value: 5: cachesize is not supported in v2]`,
  ],
  [
    kms("name: a, endpoint: 'unix:///a.sock'"),
    "error while building transformers: KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.",
  ],
  [
    `${head}resources: [{resources: ['*.'], providers: [{identity: {}}]}, ${secrets}]`,
    'error while building transformers: resource "secrets" is masked by earlier rule "*."',
  ],
  [
    `${head}resources: [{resources: ['*.*'], providers: [{identity: {}}]}, {resources: ['*.apps'], providers: [{identity: {}}]}]`,
    'error while building transformers: resource "*.apps" is masked by earlier rule "*.*"',
  ],
];

for (const [text, problem] of refused) {
  test(`refused: ${problem.slice(-110)}`, async () => {
    assert.equal(await problemOf(text), problem);
  });
}

test("another kind is refused by name", async () => {
  const problem = await problemOf("apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfigurations\n");
  assert.ok(problem.startsWith(`${decoding}no kind "EncryptionConfigurations" is registered for version "apiserver.config.k8s.io/v1"`));
});

test("secrets are not shown, whatever is wrong beside them", async () => {
  const keys = `{keys: [{name: a, secret: ${key(32)}}]}`;
  const problem = await problemOf(providersWith(`{aescbc: ${keys}, secretbox: ${keys}}`));
  assert.match(problem, /more than one provider specified in a single element/);
  assert.ok(!problem.includes(key(32)));
});

test("good files are taken: JSON, several rules for one resource, wildcards after what they cover", async () => {
  const aescbc = `{aescbc: {keys: [{name: a, secret: ${key(32)}}]}}`;
  for (const text of [
    JSON.stringify({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "EncryptionConfiguration",
      resources: [{ resources: ["secrets"], providers: [{ identity: {} }] }],
    }),
    `${head}resources: [${secrets}, {resources: [secrets], providers: [${aescbc}]}]`,
    `${head}resources: [${secrets}, {resources: ['*.apps', '*.'], providers: [${aescbc}]}, {resources: ['*.*'], providers: [${aescbc}]}]`,
  ]) {
    assert.equal(await problemOf(text), "");
    assert.equal(await problemOf(text, true), "");
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { customResourceDefinitions } from "#api/apiextensions/v1/custom-resource-definition.ts";
import { deployments } from "#api/apps/v1/deployment.ts";
import { configMaps } from "#api/core/v1/config-map.ts";
import { pods } from "#api/core/v1/pod.ts";
import { services } from "#api/core/v1/service.ts";
import { leases } from "#api/coordination/v1/lease.ts";
import { roles } from "#api/rbac/v1/role.ts";
import { deepEqual } from "./deep-equal.ts";
import { parseJsonStrict, typedJson } from "#wire/json.ts";
import {
  applySchemaDefaults,
  canonical,
  decodeJson,
  decodeTrusted,
  encodeJson,
  jsonTextOf,
} from "./json-codec.ts";
import { int32, kind, listOf, mapOf, opt, ptr, req, string, struct } from "./schema.ts";
import type { Fields, StructSchema } from "./schema.ts";

const schemas: Record<string, StructSchema<Fields>> = {
  ConfigMap: configMaps.schema,
  Deployment: deployments.schema,
  Pod: pods.schema,
  Service: services.schema,
  Lease: leases.schema,
  CustomResourceDefinition: customResourceDefinitions.schema,
};

function schemaOf(name: string): StructSchema<Fields> {
  const schema = schemas[name];
  assert.ok(schema);
  return schema;
}

test("decodeJson refuses wrong types with Go's texts", () => {
  const rows: [kind: string, body: string, message: string][] = [
    [
      "ConfigMap",
      '{"data":{"a":1}}',
      "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
    ],
    [
      "ConfigMap",
      '{"data":[]}',
      "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string",
    ],
    [
      "ConfigMap",
      '{"immutable":"x"}',
      "json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool",
    ],
    [
      "ConfigMap",
      '{"metadata":"x"}',
      "json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta",
    ],
    [
      "ConfigMap",
      '{"metadata":{"labels":{"a":1}}}',
      "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
    ],
    ["ConfigMap", '{"binaryData":{"a":"%%"}}', "illegal base64 data at input byte 0"],
    ["ConfigMap", '{"binaryData":{"a":"AAAA="}}', "illegal base64 data at input byte 4"],
    ["ConfigMap", '{"binaryData":{"a":"AAA"}}', "illegal base64 data at input byte 0"],
    ["ConfigMap", "[]", "json: cannot unmarshal array into Go value of type v1.ConfigMap"],
    [
      "Deployment",
      '{"spec":{"replicas":"3"}}',
      "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
    ],
    [
      "Deployment",
      '{"spec":{"replicas":99999999999}}',
      "json: cannot unmarshal number 99999999999 into Go struct field DeploymentSpec.spec.replicas of type int32",
    ],
    [
      "Deployment",
      '{"spec":{"replicas":1.5}}',
      "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
    ],
    [
      "Pod",
      '{"spec":{"containers":{}}}',
      "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
    ],
    [
      "Pod",
      '{"spec":{"containers":[{"command":"x"}]}}',
      "json: cannot unmarshal string into Go struct field Container.spec.containers.command of type []string",
    ],
    [
      "Pod",
      '{"spec":{"terminationGracePeriodSeconds":9223372036854775808}}',
      "json: cannot unmarshal number 9223372036854775808 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64",
    ],
    ...["1.0", "1e2", "1E400", "-0.5"].map((number): [string, string, string] => [
      "Pod",
      `{"spec":{"terminationGracePeriodSeconds":${number}}}`,
      `json: cannot unmarshal number ${number} into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64`,
    ]),
    ["Pod", '{"spec":1.5}', "json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec"],
    [
      "Pod",
      '{"spec":{"containers":[{"livenessProbe":{"grpc":{"port":"x"}}}]}}',
      "json: cannot unmarshal string into Go struct field GRPCAction.spec.containers.livenessProbe.ProbeHandler.grpc.port of type int32",
    ],
    [
      "Pod",
      '{"spec":{"containers":[{"resources":{"limits":{"cpu":"1x"}}}]}}',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      "Pod",
      '{"spec":{"hostNetwork":"x","containers":[{"resources":{"limits":{"cpu":""}}}]}}',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      "Pod",
      '{"metadata":{"deletionTimestamp":5}}',
      "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.deletionTimestamp of type string",
    ],
    [
      "Pod",
      '{"metadata":{"creationTimestamp":"x"}}',
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ],
    [
      "Service",
      '{"spec":{"ports":[{"targetPort":true}]}}',
      "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32",
    ],
    [
      "Lease",
      '{"spec":{"renewTime":"2020-01-01T00:00:00Z"}}',
      'parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
    [
      "CustomResourceDefinition",
      '{"spec":{"versions":[{"schema":{"openAPIV3Schema":{"additionalProperties":5}}}]}}',
      "boolean or JSON schema expected",
    ],
  ];
  for (const [name, body, message] of rows) {
    assert.throws(
      () => decodeJson(schemaOf(name), parseJsonStrict(body, typedJson).value),
      { name: "DecodeError", message },
      body,
    );
  }
});

test("decodeJson refuses nesting that the stack cannot hold", () => {
  let schema: object = {};
  for (let depth = 0; depth < 4000; depth++) schema = { properties: { a: schema } };
  const body = { spec: { versions: [{ schema: { openAPIV3Schema: schema } }] } };
  assert.throws(() => decodeJson(customResourceDefinitions.schema, body), {
    name: "DecodeError",
    message: "exceeded max depth",
  });
});

test("decodeJson reports and drops unknown fields", () => {
  const body = {
    Kind: "x",
    metadata: { foo: 1, labels: { a: "b" } },
    spec: { containers: [{}, { imag: "x" }], bogus: { deep: 1 } },
    ["__proto__x"]: 1,
  };
  const { object, findings } = decodeJson<Record<string, unknown>>(pods.schema, body);
  assert.deepEqual(findings, [
    'unknown field "Kind"',
    'unknown field "metadata.foo"',
    'unknown field "spec.containers[1].imag"',
    'unknown field "spec.bogus"',
    'unknown field "__proto__x"',
  ]);
  assert.deepEqual(Object.keys(object), ["metadata", "spec", "status"]);
  assert.deepEqual(decodeJson(pods.schema, body, { collectFindings: false }).findings, []);
  const nested = decodeJson(pods.schema, { spec: { q: 1 } }, { path: "template" });
  assert.deepEqual(nested.findings, ['unknown field "template.spec.q"']);
});

const Sample = kind("test.v1.Sample", {
  text: req(1, string),
  count: opt(2, int32),
  limit: ptr(3, int32),
  items: req(4, listOf(string)),
  more: opt(5, listOf(string)),
  table: req(6, mapOf(string)),
  inner: opt(7, struct("test.v1.Inner", { name: opt(1, string, { default: "n" }) })),
  maybe: ptr(8, struct("test.v1.Inner", { name: opt(1, string, { default: "n" }) })),
  none: ptr(9, string, { nullable: true }),
});

test("decodeJson gives every object Go's zero values in Go's order", () => {
  const rows: [body: unknown, object: unknown][] = [
    [{}, { text: "", items: [], table: {}, inner: {} }],
    [null, { text: "", items: [], table: {}, inner: {} }],
    [
      {
        more: [],
        limit: 0,
        count: 0,
        text: null,
        items: [null, "a"],
        table: { k: null },
        maybe: {},
      },
      { text: "", limit: 0, items: ["", "a"], more: [], table: { k: "" }, inner: {}, maybe: {} },
    ],
  ];
  for (const [body, object] of rows) {
    const decoded = decodeJson<object>(Sample, body).object;
    assert.deepEqual(decoded, object);
    assert.deepEqual(Object.keys(decoded), Object.keys(object as object));
  }
  const base = { more: [], items: [] };
  assert.deepEqual(decodeJson<object>(Sample, base, { base }).object, { text: "", items: [], table: {}, inner: {} });
});

test("canonical prints what Go prints", () => {
  const rows: [object: object, text: string][] = [
    [{}, '{"text":"","items":null,"table":null,"inner":{},"none":null}'],
    [
      { inner: { name: "" }, more: [], limit: 0, count: 0, items: [], text: "<&>" },
      '{"text":"\\u003c\\u0026\\u003e","limit":0,"items":null,"table":null,"inner":{},"none":null}',
    ],
    [
      { apiVersion: "v1", kind: "S", table: { b: "", 10: "", 9: "", a: "" } },
      '{"kind":"S","apiVersion":"v1","text":"","items":null,"table":{"10":"","9":"","a":"","b":""},"inner":{},"none":null}',
    ],
    [
      { limit: 1n << 60n, table: JSON.parse('{"__proto__":"x"}') as object },
      '{"text":"","limit":1152921504606846976,"items":null,"table":{"__proto__":"x"},"inner":{},"none":null}',
    ],
  ];
  for (const [object, text] of rows) assert.equal(jsonTextOf(Sample, object), text);
  assert.equal(
    jsonTextOf(Sample, { items: [] }, { emptyLists: "keep" }),
    '{"text":"","items":[],"table":null,"inner":{},"none":null}',
  );
});

test("canonical of a sparse Pod is the object that a server shows", () => {
  const pod = decodeJson<object>(pods.schema, {
    metadata: { name: "a" },
    spec: {
      containers: [
        {
          name: "c",
          image: "i",
          env: [{ name: "E", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }],
        },
      ],
    },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  }).object;
  assert.deepEqual(canonical(pods.schema, pod), {
    metadata: { name: "a" },
    spec: {
      containers: [
        {
          name: "c",
          image: "i",
          env: [
            {
              name: "E",
              valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0" } },
            },
          ],
          resources: {},
        },
      ],
    },
    status: {
      conditions: [
        { type: "Ready", status: "True", lastProbeTime: null, lastTransitionTime: null },
      ],
    },
  });
});

test("applySchemaDefaults fills in constants where structs exist", () => {
  const decoded = decodeJson<object>(Sample, { maybe: null }).object;
  applySchemaDefaults(Sample, decoded);
  assert.deepEqual(decoded, { text: "", items: [], table: {}, inner: { name: "n" } });
  const service = decodeJson<{ spec: { ports: object[] } }>(services.schema, {
    spec: { ports: [{ port: 80 }] },
  }).object;
  applySchemaDefaults(services.schema, service);
  assert.deepEqual(service.spec.ports, [{ port: 80, protocol: "TCP" }]);
});

test("decodeTrusted gives what decodeJson gave", () => {
  const bodies: [schema: StructSchema<Fields>, body: unknown][] = [
    [roles.schema, { rules: null }],
    [roles.schema, { metadata: { name: "a" }, rules: [{ verbs: ["get"] }] }],
    [pods.schema, { status: { conditions: [{ type: "null" }] } }],
    [deployments.schema, { metadata: { generation: 1n << 60n } }],
    [
      customResourceDefinitions.schema,
      { spec: { versions: [{ schema: { openAPIV3Schema: {} } }] } },
    ],
  ];
  for (const [schema, body] of bodies) {
    const { object } = decodeJson<object>(schema, body);
    const trusted = decodeTrusted<object>(schema, encodeJson(schema, object));
    assert.ok(deepEqual(trusted, object), schema.name);
  }
});

test("quantities, times and base64 are canonical after decoding", () => {
  const { object } = decodeJson<object>(pods.schema, {
    metadata: {
      creationTimestamp: "2020-01-01T01:00:00.5+01:00",
      deletionTimestamp: "0001-01-01T00:00:00Z",
    },
    spec: { containers: [{ resources: { limits: { cpu: 0.5, memory: " 1024Mi " } } }] },
  });
  assert.deepEqual(canonical(pods.schema, object)["metadata"], {
    creationTimestamp: "2020-01-01T00:00:00Z",
  });
  assert.match(jsonTextOf(pods.schema, object), /"limits":\{"cpu":"500m","memory":"1Gi"\}/);
  const secretive = decodeJson<{ binaryData: object }>(configMaps.schema, {
    binaryData: { a: "AB==", b: "AAAA\nAAAA", c: "" },
  }).object;
  assert.deepEqual(secretive.binaryData, { a: "AA==", b: "AAAAAAAA", c: "" });
});

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadAll } from "js-yaml";
import type { HttpClient } from "#base/http.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { type Api, createApi, type Objects, refused } from "../script/api.ts";
import { encodings, type Thing } from "../script/encoding.ts";
import { openKubectl } from "../script/kubectl.ts";
import { contains } from "../script/operations.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

// Definitions as charts bring them: a folder for each project, YAML files within.
const directory = process.env["KUBETS_CRDS_DIR"] ?? join(import.meta.dirname, "../../../shared/crds");
const skip = existsSync(directory) ? false : "the definitions of charts are not here";

let server: TestServer;
let http: HttpClient;
let api: Api;

interface Definition extends Thing {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly plural: string; readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean; readonly storage: boolean }[];
  };
}

const definitions: Definition[] = skip
  ? []
  : globSync("*/*.yaml", { cwd: directory })
      .toSorted()
      .flatMap((file) => loadAll(readFileSync(join(directory, file), "utf8")) as (Definition | null)[])
      .filter((one): one is Definition => one?.kind === "CustomResourceDefinition");

before(async () => {
  if (skip) return;
  server = await startTestServer();
  http = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  api = createApi(http, encodings.json);
});

after(async () => {
  if (skip) return;
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function instancesOf(kind: string): { readonly objects: Objects; readonly apiVersion: string; readonly plural: string } {
  const found = definitions.find(({ spec }) => spec.names.kind === kind);
  assert.ok(found, `a definition of ${kind}`);
  const { group, names, scope, versions } = found.spec;
  const apiVersion = `${group}/${versions.find(({ storage }) => storage)?.name ?? ""}`;
  const namespace = scope === "Namespaced" ? "default" : "";
  return { apiVersion, plural: names.plural, objects: api.objects(apiVersion, names.plural, namespace, kind) };
}

test("every definition is accepted as it is, and all its versions are served and published", { skip, timeout: 120_000 }, async () => {
  assert.ok(definitions.length > 0);
  const crds = api.objects("apiextensions.k8s.io/v1", "customresourcedefinitions", "");
  for (const { status: _, ...definition } of definitions) {
    const created = await crds.create(definition, { fieldValidation: "Strict" });
    contains(created["spec"], { names: (definition as Definition).spec.names });
  }
  const swagger = (await api.get("/openapi/v2"))["paths"] as Record<string, unknown>;
  const { paths } = (await api.get("/openapi/v3")) as { readonly paths: Record<string, { readonly serverRelativeURL: string }> };
  for (const { spec } of definitions) {
    for (const { name } of spec.versions.filter(({ served }) => served)) {
      const path = `apis/${spec.group}/${name}`;
      assert.equal((await api.ask("GET", `/${path}/${spec.names.plural}`)).code, 200);
      const infix = spec.scope === "Namespaced" ? "/namespaces/{namespace}" : "";
      assert.ok(`/${path}${infix}/${spec.names.plural}` in swagger, path);
      assert.ok(path in paths, path);
    }
  }
});

interface Row {
  readonly kind: string;
  readonly object: object;
  /** What defaults add. */
  readonly becomes?: object;
  /** An edit, and what is wrong with it. */
  readonly wrong?: readonly [edit: object, why: RegExp];
  /** Columns of `kubectl get`. */
  readonly columns: RegExp;
  /** A path to explain, and what it says. */
  readonly explain: readonly [path: string, text: RegExp];
}

const rows: readonly Row[] = [
  {
    kind: "Certificate",
    object: { spec: { secretName: "tls", issuerRef: { name: "ca" }, dnsNames: ["example.com"] } },
    wrong: [{ spec: { secretName: null } }, /spec\.secretName: Required value/],
    columns: /^NAME +READY +SECRET +AGE\n/,
    explain: ["spec.issuerRef.name", /FIELD: name <string>/],
  },
  {
    kind: "HTTPRoute",
    object: { spec: { parentRefs: [{ name: "gateway" }], rules: [{ backendRefs: [{ name: "web", port: 80 }] }] } },
    becomes: {
      spec: {
        parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "gateway" }],
        rules: [{ backendRefs: [{ group: "", kind: "Service", weight: 1 }], matches: [{ path: { type: "PathPrefix", value: "/" } }] }],
      },
    },
    wrong: [
      { spec: { rules: [{ matches: [{ path: { type: "PathPrefix", value: "no-slash" } }] }] } },
      /value must be an absolute path and start with '\/'/,
    ],
    columns: /^NAME +HOSTNAMES +AGE\n/,
    explain: ["spec.rules.matches.path.type", /ENUM:\n +Exact\n/],
  },
  {
    kind: "Gateway",
    object: { spec: { gatewayClassName: "x", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] } },
    becomes: { spec: { listeners: [{ allowedRoutes: { namespaces: { from: "Same" } } }] } },
    wrong: [
      { spec: { listeners: [{ name: "http", port: 80, protocol: "HTTP", tls: { mode: "Terminate" } }] } },
      /tls must not be specified for protocols \['HTTP', 'TCP', 'UDP'\]/,
    ],
    columns: /^NAME +CLASS +ADDRESS +PROGRAMMED +AGE\n/,
    explain: ["spec.listeners", /<\[\]Object>/],
  },
  {
    kind: "ServiceMonitor",
    object: { spec: { endpoints: [{ port: "web", interval: "30s" }], selector: { matchLabels: { app: "web" } } } },
    wrong: [{ spec: { endpoints: [{ port: "web", interval: "30 s" }] } }, /spec\.endpoints\[0\]\.interval: Invalid value: "30 s": .*should match/],
    columns: /^NAME +AGE\n/,
    explain: ["spec.endpoints.interval", /FIELD: interval <string>/],
  },
  {
    kind: "Prometheus",
    object: { spec: { replicas: 2 } },
    becomes: { spec: { portName: "web" } },
    wrong: [{ spec: { replicas: "two" } }, /spec\.replicas: Invalid value: "string"/],
    columns: /^NAME +VERSION +DESIRED +READY +RECONCILED +AVAILABLE +AGE\n/,
    explain: ["spec.alerting.alertmanagers", /<\[\]Object>/],
  },
  {
    kind: "VirtualService",
    object: { spec: { hosts: ["web"], http: [{ route: [{ destination: { host: "web" } }], timeout: "5s" }] } },
    wrong: [{ spec: { http: [{ timeout: "0s" }] } }, /spec\.http\[0\]\.timeout: Invalid value: "0s": must be a valid duration greater than 1ms/],
    columns: /^NAME +GATEWAYS +HOSTS +AGE\n/,
    explain: ["spec.http.route.destination.host", /FIELD: host <string>/],
  },
  {
    kind: "Workflow",
    object: { spec: { entrypoint: "main", templates: [{ name: "main", container: { name: "", image: "busybox", command: ["true"] } }] } },
    wrong: [{ spec: { entrypoint: 5 } }, /spec\.entrypoint: Invalid value: "integer"/],
    columns: /^NAME +STATUS +AGE +MESSAGE\n/,
    explain: ["spec.templates.container.image", /FIELD: image <string>/],
  },
  {
    kind: "Application",
    object: { spec: { project: "default", destination: { server: "https://kubernetes.default.svc", namespace: "web" }, source: { repoURL: "https://example.com/repo", path: "." } } },
    wrong: [{ spec: { source: { repoURL: null } } }, /spec\.source\.repoURL: Required value/],
    columns: /^NAME +SYNC STATUS +HEALTH STATUS\n/,
    explain: ["spec.syncPolicy.automated.prune", /FIELD: prune <boolean>/],
  },
  {
    kind: "Composition",
    object: { spec: { compositeTypeRef: { apiVersion: "example.org/v1", kind: "XThing" }, mode: "Pipeline", pipeline: [{ step: "one", functionRef: { name: "f" } }] } },
    wrong: [
      { spec: { compositeTypeRef: { kind: "XOther" } } },
      /spec\.compositeTypeRef: Invalid value: .*Value is immutable/,
    ],
    columns: /^NAME +XR-KIND +XR-APIVERSION +AGE\n/,
    explain: ["spec.compositeTypeRef", /FIELD: compositeTypeRef <Object>/],
  },
];

for (const { kind, object, becomes = {}, wrong, columns, explain } of rows) {
  test(`instances: ${kind}`, { skip, timeout: 60_000 }, async () => {
    const { objects, plural, apiVersion } = instancesOf(kind);
    const created = await objects.create({ metadata: { name: "one" }, ...object }, { fieldValidation: "Strict" });
    contains(created, becomes);
    if (wrong !== undefined) {
      const [body, why] = wrong;
      assert.match((await refused(objects.patch("one", { type: "merge", body }), 422)).message ?? "", why);
    }
    await using kubectl = await openKubectl({ server, namespace: "default" });
    assert.match((await kubectl.run(["get", plural])).stdout, columns);
    const [path, text] = explain;
    const { stdout, stderr } = await kubectl.run(["explain", `${plural}.${path}`, `--api-version=${apiVersion}`]);
    assert.match(stdout + stderr, text);
    await objects.delete("one");
  });
}

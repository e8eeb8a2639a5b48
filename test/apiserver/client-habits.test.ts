import assert from "node:assert/strict";
import { connect, type ClientHttp2Session } from "node:http2";
import { test } from "node:test";
import { WebSocket } from "ws";
import { configMaps } from "#api/core/v1/config-map.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

/** How a Go client behaves: one HTTP/2 connection for all, protobuf, pages, watches that resume. */
interface Connection extends Disposable {
  readonly session: ClientHttp2Session;
  get(path: string, accept?: string): Promise<{ status: number; body: Buffer; contentType: string }>;
  post(path: string, body: object): Promise<number>;
  /** Calls with each line of a watch until it ends. */
  watch(path: string, onEvent: (event: WatchEvent) => void): { readonly opened: Promise<void>; close(): void };
}

interface WatchEvent {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name: string; readonly resourceVersion: string } };
}

function dial({ port, token }: TestServer): Connection {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  const authorization = `Bearer ${token}`;
  return {
    session,
    get: (path, accept = "application/json") =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": path, authorization, accept });
        let status = 0;
        let contentType = "";
        const chunks: Buffer[] = [];
        stream.on("response", (headers) => {
          status = headers[":status"] ?? 0;
          contentType = headers["content-type"] ?? "";
        });
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => resolve({ status, contentType, body: Buffer.concat(chunks) }));
        stream.on("error", reject);
      }),
    post: (path, body) =>
      new Promise((resolve, reject) => {
        const headers = { ":path": path, ":method": "POST", authorization, "content-type": "application/json" };
        const stream = session.request(headers);
        stream.on("response", (answer) => resolve(answer[":status"] ?? 0));
        stream.on("error", reject);
        stream.resume();
        stream.end(JSON.stringify(body));
      }),
    watch(path, onEvent) {
      const stream = session.request({ ":path": path, authorization, accept: "application/json" });
      const opened = new Promise<void>((resolve) => void stream.on("response", () => resolve()));
      let pending = "";
      stream.setEncoding("utf8");
      stream.on("error", () => {});
      stream.on("data", (text: string) => {
        const lines = (pending + text).split("\n");
        pending = lines.pop() ?? "";
        for (const line of lines) onEvent(JSON.parse(line) as WatchEvent);
      });
      return { opened, close: () => stream.close() };
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

const maps = "/api/v1/namespaces/default/configmaps";

test("100 watches share one HTTP/2 connection, and all see a change", { timeout: 20_000 }, async () => {
  await using server = await startTestServer();
  using connection = dial(server);
  let seen = 0;
  const all = Promise.withResolvers<void>();
  const watches = Array.from({ length: 100 }, () =>
    connection.watch(`${maps}?watch=1&fieldSelector=metadata.name%3Dshared`, ({ type }) => {
      assert.equal(type, "ADDED");
      if (++seen === 100) all.resolve();
    }),
  );
  await Promise.all(watches.map(({ opened }) => opened));
  // A connection carries 100 streams: the write takes another, as Go's transport does.
  using second = dial(server);
  assert.equal(await second.post(maps, { metadata: { name: "shared" } }), 201);
  await all.promise;
  for (const watch of watches) watch.close();
});

test("keys that JavaScript's objects have of their own are kept", { timeout: 20_000 }, async () => {
  await using server = await startTestServer();
  using connection = dial(server);
  const data = JSON.parse('{"__proto__":"a","constructor":"b"}') as object;
  assert.equal(await connection.post(maps, { metadata: { name: "own-members" }, data }), 201);
  const { body } = await connection.get(`${maps}/own-members`);
  const kept = (JSON.parse(body.toString()) as { data: object }).data;
  assert.deepEqual(Object.entries(kept), [["__proto__", "a"], ["constructor", "b"]]);
});

test("lists and watches come as protobuf", { timeout: 20_000 }, async () => {
  await using server = await startTestServer();
  using connection = dial(server);
  await connection.post(maps, { metadata: { name: "proto" }, data: { k: "v" } });
  const type = "application/vnd.kubernetes.protobuf";
  const list = await connection.get(maps, type);
  assert.equal(list.contentType, type);
  assert.deepEqual([...list.body.subarray(0, 4)], [0x6b, 0x38, 0x73, 0]);
  const path = `${maps}?watch=1&resourceVersion=0&timeoutSeconds=1&fieldSelector=metadata.name%3Dproto`;
  const watched = await connection.get(path, `${type};stream=watch`);
  assert.equal(watched.contentType, `${type};stream=watch`);
  assert.equal(watched.body.readUInt32BE(0), watched.body.length - 4);
  assert.ok(watched.body.includes("proto") && watched.body.includes("k8s\0"));
});

test("a watch over a WebSocket sends a message an event, without a frame's prefix", { timeout: 20_000 }, async () => {
  await using server = await startTestServer();
  using connection = dial(server);
  assert.equal(await connection.post(maps, { metadata: { name: "socket" } }), 201);
  const url = `wss://127.0.0.1:${server.port}${maps}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dsocket`;
  const rows: [accept: string, isBinary: boolean, start: string][] = [
    ["application/json", false, `{"type":"ADDED","object":{`],
    ["application/vnd.kubernetes.protobuf", true, "\n\x05ADDED"],
  ];
  for (const [accept, isBinary, start] of rows) {
    const headers = { authorization: `Bearer ${server.token}`, accept };
    const socket = new WebSocket(url, { rejectUnauthorized: false, headers });
    const messages: { data: Buffer; isBinary: boolean }[] = [];
    socket.on("message", (data: Buffer, binary) => messages.push({ data, isBinary: binary }));
    assert.equal(await new Promise((resolve) => socket.once("close", resolve)), 1000);
    const [first] = messages;
    assert.equal(messages.length, 1);
    assert.equal(first?.isBinary, isBinary);
    assert.ok(first.data.toString("latin1").startsWith(start), first.data.toString("latin1"));
  }
});

test("a browser watches: its token comes as a subprotocol, beside one that is echoed", { timeout: 20_000 }, async () => {
  await using server = await startTestServer();
  const url = `wss://127.0.0.1:${server.port}${maps}?watch=1&timeoutSeconds=1`;
  const token = `base64url.bearer.authorization.k8s.io.${Buffer.from(server.token).toString("base64url")}`;
  const open = (protocols: string[]): Promise<string> => {
    const socket = new WebSocket(url, protocols, { rejectUnauthorized: false });
    return new Promise((resolve) => {
      socket.once("open", () => resolve(socket.protocol));
      socket.once("unexpected-response", (_request, response) => resolve(String(response.statusCode)));
      socket.once("error", () => undefined);
    });
  };
  assert.equal(await open([token, "base64.binary.k8s.io"]), "base64.binary.k8s.io");
  assert.equal(await open([token, "one", "other"]), "400");
});

test("the OpenAPI document comes as protobuf, under a media type that Go's clients can read", { timeout: 20_000 }, async () => {
  await using server = await startTestServer();
  using connection = dial(server);
  const document = await connection.get("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
  assert.equal(document.contentType, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  assert.deepEqual([...document.body.subarray(0, 5)], [0x0a, 3, 0x32, 0x2e, 0x30], "field 1, swagger: 2.0");
});

test("a paged list of 20,000 objects is one state, whatever is written meanwhile", { timeout: 120_000 }, async () => {
  await using server = await startTestServer();
  using connection = dial(server);
  const client = server.running.api.server.loopback.resource(configMaps);
  const names = Array.from({ length: 20_000 }, (_, i) => `m${String(i).padStart(5, "0")}`);
  for (let at = 0; at < names.length; at += 500) {
    const batch = names.slice(at, at + 500);
    await Promise.all(batch.map((name) => client.create({ metadata: { name, namespace: "default", labels: { big: "1" } } })));
  }
  const found: string[] = [];
  let token = "";
  let version = "";
  for (let page = 0; ; page++) {
    const { body } = await connection.get(`${maps}?limit=1000&continue=${token}`);
    const { items, metadata } = JSON.parse(body.toString("utf8")) as {
      items: { metadata: { name: string } }[];
      metadata: { continue?: string; resourceVersion: string };
    };
    found.push(...items.map((item) => item.metadata.name).filter((name) => name.startsWith("m")));
    version ||= metadata.resourceVersion;
    assert.equal(metadata.resourceVersion, version);
    token = encodeURIComponent(metadata.continue ?? "");
    if (token === "") break;
    // Gone from what is still to be read, and new in it.
    await client.delete(`default/m${String(19_000 - page).padStart(5, "0")}`);
    await client.create({ metadata: { name: `m19500-new-${page}`, namespace: "default" } });
  }
  assert.deepEqual(found, names);
});

test("a watch that resumes after a restart loses and doubles nothing", { timeout: 60_000 }, async () => {
  await using server = await startTestServer({ storage: "durable" });
  const seen: string[] = [];
  let last = "";
  const wanted = ["a", "b", "c", "d"];
  const follow = async (connection: Connection, from: string, until: string): Promise<void> => {
    const done = Promise.withResolvers<void>();
    const path = `${maps}?watch=1&resourceVersion=${from}&labelSelector=w`;
    const watch = connection.watch(path, ({ object: { metadata } }) => {
      seen.push(metadata.name);
      last = metadata.resourceVersion;
      if (metadata.name === until) done.resolve();
    });
    await watch.opened;
    for (const name of wanted.slice(seen.length, wanted.indexOf(until) + 1)) {
      await connection.post(maps, { metadata: { name, labels: { w: "1" } } });
    }
    await done.promise;
  };
  {
    using connection = dial(server);
    const { body } = await connection.get(maps);
    const { metadata } = JSON.parse(body.toString("utf8")) as { metadata: { resourceVersion: string } };
    await follow(connection, metadata.resourceVersion, "b");
    // Written while nobody watches.
    wanted.splice(2, 0, "between");
    await connection.post(maps, { metadata: { name: "between", labels: { w: "1" } } });
  }
  await server.restart();
  using connection = dial(server);
  await follow(connection, last, "d");
  assert.deepEqual(seen, wanted);
});

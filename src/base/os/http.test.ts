import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import {
  createCertificateAuthority,
  issueCertificate,
  type CertificateAuthority,
} from "#wire/certificate-authority.ts";
import { privateKeyPem } from "#wire/private-key.ts";
import { certificatePem } from "#wire/x509.ts";
import { isIoError } from "../files.ts";
import {
  BodyTooLargeError,
  type HttpClient,
  type HttpExchange,
  type HttpHandler,
  type HttpResponse,
  type HttpServer,
} from "../http.ts";
import { silentLogger } from "../log.ts";
import { createHttpClient, type HttpClientOptions } from "./http-client.ts";
import { serveHttp, serveHttps, type HttpLimits } from "./http.ts";
import { generatePrivateKey } from "./keys.ts";
import { systemRandom } from "./random.ts";

interface Identity {
  readonly cert: string;
  readonly key: string;
}

const validity = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
const authority = await newAuthority("test-ca");
const ca = certificatePem(authority.certificate);
const serverIdentity = await identity(authority, "server", []);

async function newAuthority(commonName: string): Promise<CertificateAuthority> {
  const key = await generatePrivateKey();
  return createCertificateAuthority({
    subject: { commonName },
    key,
    random: systemRandom,
    ...validity,
  });
}

async function identity(
  by: CertificateAuthority,
  commonName: string,
  organizations: readonly string[],
): Promise<Identity> {
  const key = await generatePrivateKey();
  const certificate = issueCertificate(by, {
    subject: { commonName, organizations },
    key,
    random: systemRandom,
    altNames: { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] },
    extendedKeyUsages: ["server auth", "client auth"],
    ...validity,
  });
  return { cert: certificatePem(certificate), key: privateKeyPem(key) };
}

const openServers: HttpServer[] = [];
const openClients: HttpClient[] = [];
after(async () => {
  for (const client of openClients) await client[Symbol.asyncDispose]();
  for (const server of openServers) await server.close(0);
});

async function serve(onRequest: HttpHandler, limits: HttpLimits = {}): Promise<HttpServer> {
  const server = await serveHttps({
    listen: { host: "127.0.0.1", port: 0 },
    credentials: { ...serverIdentity, ca },
    onRequest,
    log: silentLogger,
    limits,
  });
  openServers.push(server);
  return server;
}

function client(server: HttpServer, options: Partial<HttpClientOptions> = {}): HttpClient {
  const made = createHttpClient({
    baseUrl: `https://127.0.0.1:${server.port}`,
    tls: { ca },
    ...options,
  });
  openClients.push(made);
  return made;
}

/** Runs the same checks over both versions. */
function testBoth(name: string, run: (options: Partial<HttpClientOptions>) => Promise<void>): void {
  test(`${name} (HTTP/2)`, () => run({}));
  test(`${name} (HTTP/1.1)`, () => run({ http1Only: true }));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

testBoth("an exchange shows the request and answers it", async (options) => {
  const server = await serve(async (exchange) => {
    const body = text(await exchange.readBody(1000));
    const { method, url, httpVersion, secure, remoteAddress, host } = exchange;
    const seen = { method, url, httpVersion, secure, remoteAddress, host, body };
    const groups = exchange.headerValues("impersonate-group");
    const type = exchange.headers["content-type"];
    exchange.respond(201, { "X-Many": ["a", "b"] }, JSON.stringify({ ...seen, groups, type }));
  });
  const response = await client(server, { ...options, token: "t" }).request({
    method: "POST",
    path: "/a%2Fb/../c?x=%20&y",
    headers: { "Impersonate-Group": ["g,1", "g2"], "content-type": "text/x" },
    body: "hello",
  });
  assert.equal(response.status, 201);
  const many = response.headerValues("x-many");
  assert.deepEqual(many.join(",").split(/, ?/), ["a", "b"]);
  assert.deepEqual(JSON.parse(text(await response.readAll())), {
    method: "POST",
    url: "/a%2Fb/../c?x=%20&y",
    httpVersion: options.http1Only ? "1.1" : "2.0",
    secure: true,
    remoteAddress: "127.0.0.1",
    host: `127.0.0.1:${server.port}`,
    body: "hello",
    groups: ["g,1", "g2"],
    type: "text/x",
  });
});

testBoth("HEAD, 204 and empty answers have no body", async (options) => {
  const sent: [what: string, bytes: number][] = [];
  const server = await serve(async (exchange) => {
    await answer(exchange);
    sent.push([`${exchange.method} ${exchange.url}`, exchange.sentBytes]);
  });
  const answer = async (exchange: HttpExchange): Promise<void> => {
    if (exchange.url === "/204") exchange.respond(204, {});
    else if (exchange.url === "/stream") await exchange.respondStream(200, {}, lines(["x"]));
    else exchange.respond(200, {}, "body");
  };
  const http = client(server, options);
  const rows: [method: string, path: string, length: string | undefined, body: string][] = [
    ["HEAD", "/", "4", ""],
    ["HEAD", "/stream", undefined, ""],
    ["GET", "/204", undefined, ""],
    ["GET", "/", "4", "body"],
  ];
  for (const [method, path, length, body] of rows) {
    const response = await http.request({ method, path });
    assert.equal(response.headers["content-length"], length, `${method} ${path}`);
    assert.equal(text(await response.readAll()), body);
  }
  assert.deepEqual(sent, [["HEAD /", 0], ["HEAD /stream", 0], ["GET /204", 0], ["GET /", 4]]);
});

testBoth("headers set before the answer are part of it, unless it names its own", async (options) => {
  const server = await serve((exchange) => {
    exchange.setUniqueHeader("audit-id", "early");
    exchange.setHeader("x-kept", "early");
    if (exchange.url === "/stream") return exchange.respondStream(200, {}, lines(["x"]));
    exchange.respond(200, { "Audit-ID": "late" }, "body");
    return undefined;
  });
  const http = client(server, options);
  for (const [path, auditId] of [["/", "late"], ["/stream", "early"]] as const) {
    const { headers } = await http.request({ method: "GET", path });
    assert.deepEqual([headers["audit-id"], headers["x-kept"]], [auditId, "early"], path);
  }
});

async function* lines(items: readonly string[]): AsyncGenerator<string> {
  for (const item of items) yield item;
}

testBoth(
  "a client certificate is seen with its groups and whether it is trusted",
  async (options) => {
    const server = await serve((exchange) => {
      const peer = exchange.peerCertificate;
      const same = peer === exchange.peerCertificate;
      const seen = peer && { ...peer, chain: peer.chain.length > 0, same };
      exchange.respond(200, {}, JSON.stringify(seen ?? null));
    });
    const stranger = await newAuthority("stranger");
    const rows: [tls: Partial<Identity>, expected: object | null][] = [
      [
        await identity(authority, "alice", ["dev", "ops"]),
        {
          chain: true,
          commonName: "alice",
          organizations: ["dev", "ops"],
          trusted: true,
          same: true,
        },
      ],
      [
        await identity(stranger, "mallory", ["x"]),
        { chain: true, commonName: "mallory", organizations: ["x"], trusted: false, same: true },
      ],
      [{}, null],
    ];
    for (const [tls, expected] of rows) {
      const response = await client(server, { ...options, tls: { ca, ...tls } }).request({
        method: "GET",
        path: "/",
      });
      assert.deepEqual(JSON.parse(text(await response.readAll())), expected);
    }
  },
);

testBoth(
  "readBody refuses more than its limit, announced or not, and the client reads why",
  async (options) => {
    const server = await serve(async (exchange) => {
      try {
        await exchange.readBody(1000);
      } catch (error) {
        assert.ok(error instanceof BodyTooLargeError);
        exchange.respond(413, {}, `limit is ${error.limitBytes}`);
      }
    });
    async function* drip(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 64; i++) yield Buffer.alloc(1 << 14);
    }
    for (const body of ["x".repeat(1 << 20), drip()]) {
      const response = await client(server, options).request({ method: "POST", path: "/", body });
      assert.equal(response.status, 413);
      assert.equal(text(await response.readAll()), "limit is 1000");
    }
  },
);

testBoth("a streamed answer arrives as it is written, and its end is seen", async (options) => {
  const server = await serve((exchange) => {
    const writer = exchange.startResponse(200, { "content-type": "application/json" });
    writer.write("one\n");
    void exchange.readBody(10).then(() => writer.end("two\n"));
  });
  const { promise: go, resolve } = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<Uint8Array> {
    await go;
    yield Buffer.from("x");
  }
  const response = await client(server, options).request({
    method: "POST",
    path: "/",
    body: body(),
  });
  const seen: string[] = [];
  for await (const chunk of response.body) {
    seen.push(text(chunk));
    resolve();
  }
  assert.deepEqual(seen, ["one\n", "two\n"]);
});

testBoth("write reports back-pressure, and onDrain follows", async (options) => {
  const chunk = Buffer.alloc(1 << 16, "x");
  const server = await serve((exchange) => {
    const writer = exchange.startResponse(200, {});
    let left = 300;
    let waits = 0;
    const fill = (): void => {
      while (left > 0) {
        left--;
        if (!writer.write(chunk)) {
          waits++;
          return;
        }
      }
      writer.end(waits > 0 ? "waited" : "never waited");
    };
    writer.onDrain(fill);
    fill();
  });
  const response = await client(server, options).request({ method: "GET", path: "/" });
  const body = text(await response.readAll());
  assert.equal(body.length, 300 * chunk.length + "waited".length);
  assert.ok(body.endsWith("waited"));
});

testBoth("the signal aborts and the source stops when the client goes away", async (options) => {
  const stopped = Promise.withResolvers<string>();
  const sourceEnded = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        yield Buffer.alloc(1 << 16);
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      sourceEnded.resolve();
    }
  }
  const server = await serve(async (exchange) => {
    exchange.signal.addEventListener("abort", () => stopped.resolve(exchange.signal.reason.name));
    await exchange.respondStream(200, {}, endless());
  });
  const response = await client(server, options).request({ method: "GET", path: "/" });
  response.discard();
  assert.equal(await stopped.promise, "AbortError");
  await sourceEnded.promise;
});

testBoth("a source that fails breaks the answer off", async (options) => {
  async function* failing(): AsyncGenerator<string> {
    yield "part";
    throw new Error("source failed");
  }
  const server = await serve((exchange) => exchange.respondStream(200, {}, failing()));
  const response = await client(server, options).request({ method: "GET", path: "/" });
  await assert.rejects(response.readAll(), (error) => isIoError(error));
});

testBoth("a handler that throws gives 500, and the server goes on", async (options) => {
  const server = await serve((exchange) => {
    if (exchange.url === "/late") exchange.startResponse(200, {}).write("part");
    if (exchange.url !== "/") throw new Error("bug");
    exchange.respond(200, {}, "fine");
  });
  const http = client(server, options);
  assert.equal((await http.request({ method: "GET", path: "/bad" })).status, 500);
  const late = await http
    .request({ method: "GET", path: "/late" })
    .catch((error: unknown) => error);
  const broken = isIoError(late) || (await (late as HttpResponse).readAll().catch(isIoError));
  assert.equal(broken, true);
  assert.equal((await http.request({ method: "GET", path: "/" })).status, 200);
});

testBoth("a request ends with its signal's reason or its timeout", async (options) => {
  const server = await serve(() => undefined);
  const http = client(server, options);
  const stop = new AbortController();
  const aborted = http.request({ method: "GET", path: "/", signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(aborted, /^Error: enough$/);
  const late = http.request({ method: "GET", path: "/", timeoutMs: 20 });
  await assert.rejects(late, (error) => isIoError(error, "ETIMEDOUT"));
  const refused = http.request({
    method: "GET",
    path: "/",
    signal: AbortSignal.abort(new Error("no")),
  });
  await assert.rejects(refused, /^Error: no$/);
});

test("close lets requests in flight finish, refuses new ones, and cuts off what is left", async () => {
  for (const http1Only of [false, true]) {
    const arrived = Promise.withResolvers<HttpExchange>();
    const server = await serve((exchange) => arrived.resolve(exchange));
    const http = client(server, { http1Only });
    const answer = http.request({ method: "GET", path: "/" });
    const exchange = await arrived.promise;
    const closed = server.close(10_000);
    exchange.respond(200, {}, "finished");
    assert.equal(text(await (await answer).readAll()), "finished");
    await closed;
    await assert.rejects(http.request({ method: "GET", path: "/" }), (error) =>
      isIoError(error, "ECONNREFUSED"),
    );

    const stuck = Promise.withResolvers<HttpExchange>();
    const other = await serve((exchange) => stuck.resolve(exchange));
    const lost = client(other, { http1Only }).request({ method: "GET", path: "/" });
    lost.catch(() => undefined);
    await stuck.promise;
    await other.close(1);
    await assert.rejects(lost, (error) => isIoError(error, "ECONNRESET"));
  }
});

test("new credentials serve new connections; requests go on over the old", async () => {
  const server = await serve((exchange) => exchange.respond(200, {}, "ok"));
  const http = client(server);
  assert.equal((await http.request({ method: "GET", path: "/" })).status, 200);
  const other = await newAuthority("new-ca");
  server.setCredentials({ ...(await identity(other, "server", [])), ca });
  assert.equal((await http.request({ method: "GET", path: "/" })).status, 200);
  const fresh = client(server, { tls: { ca: certificatePem(other.certificate) } });
  assert.equal((await fresh.request({ method: "GET", path: "/" })).status, 200);
  http.reconnect();
  await assert.rejects(
    http.request({ method: "GET", path: "/" }),
    /tls: failed to verify certificate: x509: certificate signed by unknown authority/,
  );
});

test("the client opens another connection when one has no stream left", async () => {
  const arrived: HttpExchange[] = [];
  const all = Promise.withResolvers<void>();
  const server = await serve(
    (exchange) => {
      arrived.push(exchange);
      if (arrived.length === 12) all.resolve();
    },
    { concurrentStreamsMax: 5 },
  );
  const http = client(server);
  const answers = Array.from({ length: 12 }, () => http.request({ method: "GET", path: "/" }));
  await all.promise;
  assert.equal(server.connectionCount, 3);
  for (const exchange of arrived) exchange.respond(200, {});
  for (const answer of answers) assert.equal((await answer).status, 200);
});

test("a connection without requests is closed after idleMs, one with a watch is not", async () => {
  const server = await serve(
    (exchange) => {
      if (exchange.url === "/watch") exchange.startResponse(200, {}).write("event\n");
      else exchange.respond(200, {});
    },
    { idleMs: 50 },
  );
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca });
  const idle = connectHttp2(`https://127.0.0.1:${server.port}`, { ca });
  const watch = session.request({ ":path": "/watch" });
  await new Promise((resolve) => watch.once("data", resolve));
  idle.request({ ":path": "/" }).resume();
  await new Promise<void>((resolve) => idle.once("close", resolve));
  assert.equal(session.closed, false);
  watch.close();
  await new Promise<void>((resolve) => session.once("close", resolve));
});

test("requests that HTTP/1.1 cannot read get net/http's answers", async () => {
  const server = await serve((exchange) => exchange.respond(200, {}, exchange.url), {
    headerBytesMax: 16 << 10,
    headersMs: 50,
  });
  const rows: [request: string, answer: RegExp][] = [
    [
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 Request Header Fields Too Large\r\nContent-Type: text\/plain; charset=utf-8\r\nConnection: close\r\n\r\n431 /,
    ],
    ["GET / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 Bad Request: missing required Host header\r\n/],
    [
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
      /^HTTP\/1\.1 400 Bad Request\r\n/,
    ],
    ["nonsense\r\n\r\n", /^HTTP\/1\.1 400 Bad Request\r\n/],
    [
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
      /^HTTP\/1\.1 501 Not Implemented\r\n/,
    ],
    ["GET https://other/x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", /\r\n\r\n\/x\?y$/],
    [
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
      /^HTTP\/1\.1 200 OK/,
    ],
    ["FOO /x HTTP/1.1\r\nHost: a\r\nA: b\r\nContent-Length: 2\r\n\r\nxx", /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*\r\n\r\n\/x$/],
    ["get /x HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 Bad Request: missing required Host header\r\n/],
    ["F(O /x HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 400 Bad Request\r\n/],
    [`FOO /x HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ["FOO /x HTTP/1.1\r\nHost: a", /^HTTP\/1\.1 408 Request Timeout\r\n/],
    ["GET /1 HTTP/1.1\r\nHost: a\r\n\r\nFOO /2 HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 200 OK\r\n[^]*\/1HTTP\/1\.1 200 OK\r\n[^]*\/2$/],
    ["CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 200 OK\r\n[^]*\/x$/],
  ];
  for (const [request, answer] of rows) {
    const socket = connectTls({ port: server.port, ca, host: "127.0.0.1", servername: "" });
    const received = new Promise<string>((resolve) => {
      let all = "";
      socket.on("data", (chunk: Buffer) => {
        all += chunk.toString();
        if (request.includes("h2c")) socket.end();
      });
      socket.once("close", () => resolve(all));
    });
    socket.write(request);
    assert.match(await received, answer, request.slice(0, 60));
  }
});

test("an upgrade is taken over, or refused with an ordinary answer", async () => {
  const server = await serve(async (exchange) => {
    const { upgrade } = exchange;
    if (exchange.url === "/refuse" || upgrade === undefined) {
      exchange.respond(403, { "x-why": "policy" }, "forbidden");
      return;
    }
    const { socket, head } = upgrade.take();
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgrade.protocol}\r\n\r\n`,
    );
    socket.write(`hello ${head.length}`);
    socket.on("data", (chunk: Buffer) => socket.end(`echo ${chunk.toString()}`));
  });
  const http = client(server);
  const headers = { upgrade: "SPDY/3.1", "x-stream-protocol-version": ["v4", "v3"] };
  const taken = await http.upgrade({ method: "POST", path: "/exec", headers });
  assert.ok(taken.upgraded);
  assert.equal(taken.headers["upgrade"], "SPDY/3.1");
  taken.socket.write("ping");
  let all = text(taken.head);
  for await (const chunk of taken.socket) all += String(chunk);
  assert.equal(all, "hello 0echo ping");

  const refused = await http.upgrade({ path: "/refuse", headers });
  assert.ok(!refused.upgraded);
  assert.equal(refused.response.status, 403);
  assert.equal(refused.response.headers["x-why"], "policy");
  assert.equal(text(await refused.response.readAll()), "forbidden");
});

test("plain HTTP serves TCP and unix sockets; failures carry Go's words", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kubets-"));
  const socketPath = join(directory, "s.sock");
  try {
    for (const listen of [{ socketPath }, { host: "127.0.0.1", port: 0 }]) {
      const server = await serveHttp({
        listen,
        onRequest: (exchange) =>
          exchange.respond(200, {}, `${exchange.url} ${exchange.secure} ${exchange.remoteAddress}`),
        log: silentLogger,
      });
      const unix = "socketPath" in listen;
      const http = createHttpClient({
        baseUrl: unix ? "http://localhost/prefix/" : `http://127.0.0.1:${server.port}/prefix`,
        ...(unix ? { unixSocket: socketPath } : {}),
      });
      const body = text(await (await http.request({ method: "GET", path: "/x" })).readAll());
      assert.equal(body, unix ? "/prefix/x false " : "/prefix/x false 127.0.0.1");
      await assert.rejects(
        serveHttp({
          listen: unix ? listen : { host: "127.0.0.1", port: server.port },
          onRequest: () => undefined,
          log: silentLogger,
        }),
        (error) => isIoError(error, "EADDRINUSE"),
      );
      await http[Symbol.asyncDispose]();
      await server.close(0);
      await assert.rejects(
        http.request({ method: "GET", path: "/" }),
        unix
          ? /dial unix .*s\.sock: connect: no such file or directory/
          : /dial tcp 127\.0\.0\.1:\d+: connect: connection refused/,
      );
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("dialling a name that is not in the certificate fails with Go's words", async () => {
  const server = await serve((exchange) => exchange.respond(200, {}));
  const http = client(server, { tls: { ca, serverName: "example.org" } });
  await assert.rejects(
    http.request({ method: "GET", path: "/" }),
    /x509: certificate is valid for localhost, 127\.0\.0\.1, not example\.org/,
  );
  const insecure = client(server, { tls: { insecure: true, serverName: "example.org" } });
  assert.equal((await insecure.request({ method: "GET", path: "/" })).status, 200);
});

test("a TCP client that never speaks TLS does not disturb others", async () => {
  const server = await serve((exchange) => exchange.respond(200, {}, "ok"));
  const socket = connectTcp(server.port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("GET / HTTP/1.1\r\n\r\n");
  socket.on("error", () => undefined).resume();
  await closed;
  assert.equal((await client(server).request({ method: "GET", path: "/" })).status, 200);
});

test("a client that resets streams in a flood is cut off, and the server goes on", async () => {
  const server = await serve((exchange) => {
    if (exchange.url === "/") exchange.respond(200, {}, "ok");
  });
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca });
  session.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  const flood = (): void => {
    if (session.destroyed || session.closed) return;
    const stream = session.request({ ":path": "/flood" });
    stream.on("error", () => undefined).once("close", flood);
    // Once it was sent: a stream that never left is no flood.
    setImmediate(() => setImmediate(() => stream.close()));
  };
  session.once("connect", () => {
    for (let i = 0; i < 50; i++) flood();
  });
  await closed;
  assert.equal((await client(server).request({ method: "GET", path: "/" })).status, 200);
});

test("headers that drip are cut off with 408", async () => {
  const server = await serve((exchange) => exchange.respond(200, {}), { headersMs: 200 });
  const socket = connectTls({ port: server.port, ca, host: "127.0.0.1", servername: "" });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nX: ");
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/);
});

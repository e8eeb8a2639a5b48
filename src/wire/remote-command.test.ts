import assert from "node:assert/strict";
import { Duplex, type Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { WebSocket } from "ws";
import type { HttpClient, HttpExchange, HttpHandler } from "#base/http.ts";
import { silentLogger } from "#base/log.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { serveHttp } from "#base/os/http.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { acceptPortForward, dialPortForward, type ForwardedConnection } from "./port-forward.ts";
import { bridgeRemoteCommand, dialRemoteCommand } from "./remote-command-client.ts";
import {
  acceptRemoteCommand,
  type RemoteCommandRequest,
  type RemoteCommandSession,
} from "./remote-command.ts";
import { UpgradeRefusedError } from "./spdy-upgrade.ts";
import { createSpdySession } from "./spdy.ts";
import { proxyUpgrade } from "./upgrade-proxy.ts";
import { webSocketBearerToken } from "./websocket.ts";

const clock = createVirtualClock();

async function serve(
  t: TestContext,
  onRequest: HttpHandler,
): Promise<{ port: number; client: HttpClient }> {
  const server = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    onRequest,
    log: silentLogger,
  });
  const client = createHttpClient({ baseUrl: `http://127.0.0.1:${server.port}` });
  t.after(() => server.close(0));
  return { port: server.port, client };
}

function requestOf(exchange: HttpExchange): RemoteCommandRequest {
  const query = new URL(exchange.url, "http://x").searchParams;
  const has = (name: string): boolean => query.get(name) === "true";
  return { stdin: has("stdin"), stdout: has("stdout"), stderr: has("stderr"), tty: has("tty") };
}

/** A command that echoes its input, complains on stderr, and exits with 7. */
async function runEcho(session: RemoteCommandSession): Promise<void> {
  const sizes: string[] = [];
  session.onResize(({ width, height }) => sizes.push(`${width}x${height}`));
  session.stderr?.write("complaint");
  session.stdout?.write("out:");
  if (session.stdin !== undefined) {
    for await (const chunk of session.stdin) session.stdout?.write(chunk);
  }
  session.stdout?.write(sizes.join(","));
  await session.finish({
    status: "Failure",
    reason: "NonZeroExitCode",
    message: "command terminated with non-zero exit code",
    details: { causes: [{ reason: "ExitCode", message: "7" }] },
  });
}

const echoHandler: HttpHandler = async (exchange) => {
  const session = await acceptRemoteCommand(exchange, requestOf(exchange), clock);
  if (session !== undefined) await runEcho(session);
};

async function readAll(stream: AsyncIterable<unknown> | undefined): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** What a WebSocket client of the channel protocols receives, channel by channel. */
async function runWebSocket(url: string, protocol: string | undefined, input: string) {
  const socket = new WebSocket(url, protocol === undefined ? [] : [protocol]);
  const isBase64 = protocol?.includes("base64") ?? false;
  const received = new Map<number, string>();
  const send = (channel: number, text: string): void => {
    if (isBase64) socket.send(String(channel) + Buffer.from(text).toString("base64"));
    else socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
  };
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    assert.equal(isBinary, !isBase64);
    const channel = isBase64 ? Number(String(data)[0]) : (data[0] as number);
    const body = data.subarray(1);
    const text = isBase64 ? Buffer.from(String(body), "base64").toString() : String(body);
    received.set(channel, (received.get(channel) ?? "") + text);
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  send(4, '{"Width":80,"Hei');
  send(4, 'ght":24}');
  send(0, input);
  if (protocol === "v5.channel.k8s.io") socket.send(Buffer.from([255, 0]));
  await new Promise((resolve) => socket.once("close", resolve));
  return { chosen: socket.protocol, received: Object.fromEntries(received) };
}

test("exec over WebSocket version 5 carries every channel, the close signal and the status", async (t) => {
  const { port } = await serve(t, echoHandler);
  const url = `ws://127.0.0.1:${port}/exec?stdin=true&stdout=true&stderr=true&tty=true`;
  const input = "x".repeat(100_000);
  const { chosen, received } = await runWebSocket(url, "v5.channel.k8s.io", input);
  assert.equal(chosen, "v5.channel.k8s.io");
  const { 1: stdout, 2: stderr, 3: status, ...others } = received;
  assert.equal(stdout, `out:${input}80x24`);
  assert.equal(stderr, "complaint");
  assert.equal(JSON.parse(status ?? "").details.causes[0].message, "7");
  assert.deepEqual(others, {});
});

test("older WebSocket protocols differ in encoding and in what they tell of the end", async (t) => {
  const { port } = await serve(t, echoHandler);
  const url = `ws://127.0.0.1:${port}/exec?stdout=true`;
  const plain = "command terminated with non-zero exit code";
  const rows: [protocol: string | undefined, isJson: boolean][] = [
    ["v4.channel.k8s.io", true],
    ["v4.base64.channel.k8s.io", true],
    ["channel.k8s.io", false],
    ["base64.channel.k8s.io", false],
    [undefined, false],
  ];
  for (const [protocol, isJson] of rows) {
    const { chosen, received } = await runWebSocket(url, protocol, "");
    assert.equal(chosen, protocol ?? "");
    assert.equal(received[1]?.slice(0, 4), "out:", protocol);
    const told = isJson ? JSON.parse(received[3] ?? "").message : received[3];
    assert.equal(told, plain, protocol);
  }
});

test("the token subprotocol is never chosen, and is read as upstream reads it", async (t) => {
  const { port } = await serve(t, echoHandler);
  const token = `base64url.bearer.authorization.k8s.io.${Buffer.from("secret").toString("base64url")}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?stdout=true`, [token, "v4.channel.k8s.io"]);
  await new Promise((resolve) => socket.once("close", resolve));
  assert.equal(socket.protocol, "v4.channel.k8s.io");
  const rows: [header: string | undefined, expected: string | undefined][] = [
    [`${token}, v4.channel.k8s.io`, "secret"],
    [token, undefined],
    [`${token}, ${token}, x`, undefined],
    ["base64url.bearer.authorization.k8s.io.a=, x", undefined],
    [undefined, undefined],
  ];
  for (const [header, expected] of rows) {
    assert.equal(webSocketBearerToken({ "sec-websocket-protocol": header }), expected, header);
  }
});

test("requests that do not fit are refused in upstream's words", async (t) => {
  const { port, client } = await serve(t, echoHandler);
  const plain = await client.request({ method: "POST", path: "/" });
  assert.equal(plain.status, 400);
  assert.match(String(Buffer.from(await plain.readAll())), /missing upgrade headers in request/);
  const spdy = await client.upgrade({
    path: "/",
    headers: { upgrade: "SPDY/3.1", "x-stream-protocol-version": ["v9", "v8"] },
  });
  assert.ok(!spdy.upgraded);
  assert.equal(spdy.response.status, 403);
  assert.deepEqual(spdy.response.headerValues("x-accepted-stream-protocol-versions").length, 4);
  assert.match(
    String(Buffer.from(await spdy.response.readAll())),
    /client supports \[v9 v8\], server accepts \[v4\.channel\.k8s\.io v3/,
  );
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ["nonsense"]);
  const error = await new Promise((resolve) => socket.once("error", resolve));
  assert.match(String(error), /400/);
});

test("exec over SPDY carries streams, sizes and the status", async (t) => {
  const { client } = await serve(t, echoHandler);
  const request = { stdin: true, stdout: true, stderr: true, tty: true };
  const path = "/exec?stdin=true&stdout=true&stderr=true&tty=true";
  const command = await dialRemoteCommand(client, request, { path });
  command.resize({ width: 132, height: 50 });
  const input = "y".repeat(3 << 20);
  command.stdin?.end(input);
  const [stdout, stderr] = await Promise.all([readAll(command.stdout), readAll(command.stderr)]);
  assert.equal(stdout, `out:${input}132x50`);
  assert.equal(stderr, "complaint");
  assert.equal((await command.status).reason, "NonZeroExitCode");
  command.close();
});

test("a WebSocket client reaches a SPDY-only backend through the bridge", async (t) => {
  const backend = await serve(t, echoHandler);
  const front = await serve(t, async (exchange) => {
    const request = requestOf(exchange);
    const session = await acceptRemoteCommand(exchange, request, clock);
    if (session === undefined) return;
    const command = await dialRemoteCommand(backend.client, request, { path: exchange.url });
    await bridgeRemoteCommand(session, command);
  });
  const url = `ws://127.0.0.1:${front.port}/exec?stdin=true&stdout=true&stderr=true&tty=true`;
  const { received } = await runWebSocket(url, "v5.channel.k8s.io", "through");
  assert.equal(received[1], "out:through80x24");
  assert.equal(received[2], "complaint");
  assert.equal(JSON.parse(received[3] ?? "").reason, "NonZeroExitCode");
});

test("the session's signal aborts when the client leaves, and the status rejects when the server does", async (t) => {
  const sessions: RemoteCommandSession[] = [];
  const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { client, port } = await serve(t, async (exchange) => {
    const session = await acceptRemoteCommand(exchange, requestOf(exchange), clock);
    assert.ok(session);
    arrived[sessions.push(session) - 1]?.resolve();
    await new Promise((resolve) => session.signal.addEventListener("abort", resolve));
  });
  const request = { stdin: false, stdout: true, stderr: false, tty: false };
  const command = await dialRemoteCommand(client, request, { path: "/?stdout=true" });
  await arrived[0]?.promise;
  command.close();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?stdout=true`, ["v5.channel.k8s.io"]);
  await arrived[1]?.promise;
  if (socket.readyState !== socket.OPEN)
    await new Promise((resolve) => socket.once("open", resolve));
  socket.terminate();
  for (const { signal } of sessions) {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
  await assert.rejects(command.status, /connection closed before the command's status/);
});

test("a client that does not open its streams in time is dropped", async (t) => {
  const late = createVirtualClock();
  const outcome = Promise.withResolvers<unknown>();
  const { client } = await serve(t, async (exchange) => {
    const accepting = acceptRemoteCommand(exchange, requestOf(exchange), late);
    await late.advance(30_000);
    outcome.resolve(await accepting);
  });
  const request = { stdin: false, stdout: false, stderr: false, tty: false };
  const command = await dialRemoteCommand(client, request, { path: "/?stdin=true&stdout=true" });
  assert.equal(await outcome.promise, undefined);
  await assert.rejects(command.status);
});

/** Echoes on port 80, fails on any other. */
function forwardEcho({ port, data, fail }: ForwardedConnection): void {
  if (port !== 80) return fail(`error forwarding port ${port} to pod p: connection refused`);
  data.write("hello:");
  data.pipe(data);
  return undefined;
}

test("port-forward over SPDY pairs streams, and tells errors", async (t) => {
  const { client } = await serve(t, async (exchange) => {
    await acceptPortForward(exchange, { onConnection: forwardEcho, ports: [], clock });
  });
  const forwarder = await dialPortForward(client, { path: "/portforward" });
  const connections = ["a", "b", "c"].map((letter) => {
    const { data, error } = forwarder.connect(80);
    data.end(letter.repeat(200_000));
    return Promise.all([readAll(data), error]);
  });
  for (const [i, [text, error]] of (await Promise.all(connections)).entries()) {
    assert.equal(text, `hello:${"abc".charAt(i).repeat(200_000)}`);
    assert.equal(error, "");
  }
  const refused = forwarder.connect(81);
  assert.match(await refused.error, /error forwarding port 81/);
  forwarder.close();
  await forwarder.closed;
});

test("port-forward over SPDY inside WebSocket", async (t) => {
  const { port } = await serve(t, async (exchange) => {
    await acceptPortForward(exchange, { onConnection: forwardEcho, ports: [], clock });
  });
  const client = createHttpClient({ baseUrl: `http://127.0.0.1:${port}` });
  const upgraded = await client.upgrade({
    path: "/",
    headers: {
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16).toString("base64"),
      "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io",
    },
  });
  assert.ok(upgraded.upgraded);
  assert.equal(upgraded.headers["sec-websocket-protocol"], "SPDY/3.1+portforward.k8s.io");
  const session = createSpdySession({ socket: framed(upgraded.socket), role: "client" });
  const error = session.createStream({ streamtype: "error", port: "80", requestID: "0" });
  const data = session.createStream({ streamtype: "data", port: "80", requestID: "0" });
  data.end("tunnel");
  assert.deepEqual(await Promise.all([readAll(data), readAll(error)]), ["hello:tunnel", ""]);
  upgraded.socket.destroy();
});

/** The client's WebSocket framing, as far as small binary messages need it. */
function framed(socket: Duplex): Duplex {
  let input = Buffer.alloc(0);
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      assert.ok(chunk.length < 126);
      socket.write(
        Buffer.concat([Buffer.from([0x82, 0x80 | chunk.length, 0, 0, 0, 0]), chunk]),
        done,
      );
    },
  });
  socket.on("data", (chunk: Buffer) => {
    input = Buffer.concat([input, chunk]);
    while (input.length >= 2 && input.length >= 2 + (input[1] as number)) {
      const end = 2 + (input[1] as number);
      if (input[0] === 0x82) duplex.push(input.subarray(2, end));
      input = input.subarray(end);
    }
  });
  return duplex;
}

test("port-forward over WebSocket channels begins with the ports' numbers", async (t) => {
  const { port } = await serve(t, async (exchange) => {
    await acceptPortForward(exchange, { onConnection: forwardEcho, ports: [80, 81], clock });
  });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ["v4.channel.k8s.io"]);
  const received: string[] = ["", "", "", ""];
  const done = Promise.withResolvers<void>();
  socket.on("message", (message: Buffer) => {
    const channel = message[0] as number;
    received[channel] += message.subarray(1).toString("latin1");
    if (received[0]?.endsWith("ping") && received[3]?.includes("refused")) done.resolve();
  });
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send(Buffer.from("\0ping", "latin1"));
  await done.promise;
  assert.deepEqual(received, [
    "P\0hello:ping",
    "P\0",
    "Q\0",
    "Q\0error forwarding port 81 to pod p: connection refused",
  ]);
  socket.close();
});

test("the upgrade proxy passes bytes through, keeps credentials back, relays refusals", async (t) => {
  const seen: (string | undefined)[] = [];
  const backend = await serve(t, (exchange) => {
    seen.push(exchange.headers["authorization"], exchange.headers["x-stream-protocol-version"]);
    if (exchange.url.startsWith("/exec")) return echoHandler(exchange);
    if (exchange.url === "/moved") exchange.respond(302, { location: "http://elsewhere/" });
    else exchange.respond(403, { "x-why": "policy", "content-type": "text/plain" }, "not you");
    return undefined;
  });
  const front = await serve(t, async (exchange) => {
    const path = exchange.url.replace("/pods", "");
    const passing = proxyUpgrade(exchange, { client: backend.client, path });
    await passing.catch((error: Error) => exchange.respond(500, {}, error.message));
  });
  const request = { stdin: true, stdout: true, stderr: false, tty: false };
  const path = "/pods/exec?stdin=true&stdout=true";
  const headers = { authorization: "Bearer secret" };
  const command = await dialRemoteCommand(front.client, request, { path, headers });
  command.stdin?.end("via proxy");
  assert.equal(await readAll(command.stdout as Readable), "out:via proxy");
  assert.equal((await command.status).reason, "NonZeroExitCode");
  assert.deepEqual(seen, [
    undefined,
    "v4.channel.k8s.io, v3.channel.k8s.io, v2.channel.k8s.io, channel.k8s.io",
  ]);

  const url = `ws://127.0.0.1:${front.port}/pods/exec?stdin=true&stdout=true`;
  const { received } = await runWebSocket(url, "v5.channel.k8s.io", "ws");
  assert.equal(received[1]?.startsWith("out:ws"), true);

  const refused = dialRemoteCommand(front.client, request, { path: "/pods/other" });
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof UpgradeRefusedError);
    assert.deepEqual([error.status, error.body], [403, "not you"]);
    return true;
  });
  const moved = dialRemoteCommand(front.client, request, { path: "/pods/moved" });
  await assert.rejects(moved, /invalid upgrade response: status code 302/);
});

test("after a refused upgrade nothing else travels on the connection", async (t) => {
  const urls: string[] = [];
  const backend = await serve(t, (exchange) => {
    urls.push(exchange.url);
    exchange.respond(403, {}, "no");
  });
  const front = await serve(t, (exchange) =>
    proxyUpgrade(exchange, { client: backend.client, path: "/first" }),
  );
  const { connect } = await import("node:net");
  const socket = connect(front.port, "127.0.0.1");
  const upgrade = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4\r\n";
  const second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n${second}`);
  const answer = await readAll(socket);
  assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/);
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
  assert.deepEqual(urls, ["/first"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, ServerCredentials, type ServiceDefinition, status } from "@grpc/grpc-js";
import type { HttpExchange } from "#base/http.ts";
import { silentLogger } from "#base/log.ts";
import { serveHttp } from "#base/os/http.ts";
import { int32, message, string } from "#wire/protobuf.ts";
import { systemProbeNetwork } from "./system-probe-network.ts";

const host = "127.0.0.1";

function answer(exchange: HttpExchange): void {
  const { url, headers } = exchange;
  const redirects: Record<string, string> = {
    "/moved": "/ok",
    "/away": "http://elsewhere.test/",
    "/loop": "/loop",
  };
  const location = redirects[url];
  if (location !== undefined) exchange.respond(302, { location }, "Found");
  else if (url === "/big") exchange.respond(200, {}, "x".repeat(20_000));
  else if (url === "/silent") return;
  else exchange.respond(url === "/bad" ? 500 : 200, {}, `${url} ${headers["x-probe"] ?? ""}`);
}

test("systemProbeNetwork.httpGet follows redirects on its host, and no further", async () => {
  await using server = await serveHttp({
    listen: { host, port: 0 },
    onRequest: answer,
    log: silentLogger,
  });
  const get = (path: string, timeoutMs = 2000) =>
    systemProbeNetwork.httpGet({
      scheme: "http",
      host,
      port: server.port,
      path,
      headers: { "x-probe": ["1"] },
      timeoutMs,
    });
  assert.deepEqual(await get("/ok?x=1"), { status: 200, body: "/ok?x=1 1" });
  assert.deepEqual(await get("/bad"), { status: 500, body: "/bad 1" });
  assert.deepEqual(await get("/moved"), { status: 200, body: "/ok 1" });
  const away = { status: 302, body: "Found", redirectedTo: "http://elsewhere.test/" };
  assert.deepEqual(await get("/away"), away);
  await assert.rejects(get("/loop"), /stopped after 10 redirects/);
  assert.equal((await get("/big")).body.length, 10_240);
  const url = `Get "http://127.0.0.1:${server.port}/silent": `;
  await assert.rejects(get("/silent", 50), {
    message: `${url}context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  });
});

test("systemProbeNetwork says what Go says when nobody listens", async () => {
  const server = await serveHttp({
    listen: { host, port: 0 },
    onRequest: answer,
    log: silentLogger,
  });
  const { port } = server;
  await systemProbeNetwork.connect(host, port, 1000);
  await server.close(0);
  const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
  await assert.rejects(systemProbeNetwork.connect(host, port, 1000), { message: refused });
  const request = { scheme: "http", host, port, path: "/", headers: {}, timeoutMs: 1000 } as const;
  await assert.rejects(systemProbeNetwork.httpGet(request), {
    message: `Get "http://127.0.0.1:${port}/": ${refused}`,
  });
});

const Request = message({ service: string(1) });
const Response = message({ status: int32(1) });
const health: ServiceDefinition = {
  check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: { service: string }) => Request.encode(value),
    requestDeserialize: (bytes: Buffer) => Request.decode(bytes),
    responseSerialize: (value: { status: number }) => Response.encode(value),
    responseDeserialize: (bytes: Buffer) => Response.decode(bytes),
  },
};

test("systemProbeNetwork.grpcHealth reads the health protocol", async () => {
  const server = new Server();
  const statuses: Record<string, number> = { "": 1, sick: 2 };
  server.addService(health, {
    check(
      call: { request: { service: string } },
      done: (error: object | null, value?: object) => void,
    ) {
      const known = statuses[call.request.service];
      if (known !== undefined) done(null, { status: known });
      else if (call.request.service !== "silent")
        done({ code: status.NOT_FOUND, details: "unknown service" });
    },
  });
  const bound = Promise.withResolvers<number>();
  server.bindAsync(`${host}:0`, ServerCredentials.createInsecure(), (error, port) =>
    error ? bound.reject(error) : bound.resolve(port),
  );
  const port = await bound.promise;
  try {
    const check = (service: string, timeoutMs = 2000) =>
      systemProbeNetwork.grpcHealth({ host, port, service, timeoutMs });
    assert.deepEqual(await check(""), { status: "SERVING" });
    assert.deepEqual(await check("sick"), { status: "NOT_SERVING" });
    assert.deepEqual(await check("none"), {
      status: "ERROR",
      code: "NOT_FOUND",
      message: "unknown service",
    });
    const silent = await check("silent", 100);
    assert.equal(silent.status === "ERROR" && silent.code, "TIMEOUT");
  } finally {
    server.forceShutdown();
  }
});

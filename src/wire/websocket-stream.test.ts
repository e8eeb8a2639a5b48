import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { WebSocket } from "ws";
import type { HttpHandler } from "#base/http.ts";
import { silentLogger } from "#base/log.ts";
import { serveHttp } from "#base/os/http.ts";
import { acceptWebSocket } from "./websocket.ts";
import { sendMessages, streamOverWebSocket } from "./websocket-stream.ts";

async function serve(t: TestContext, onRequest: HttpHandler): Promise<string> {
  const server = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    onRequest,
    log: silentLogger,
  });
  t.after(() => server.close(0));
  return `ws://127.0.0.1:${server.port}/`;
}

async function receive(
  url: string,
  protocols: string[],
): Promise<{ messages: string[]; code: number }> {
  const socket = new WebSocket(url, protocols);
  const messages: string[] = [];
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    messages.push(`${isBinary ? "binary" : "text"}:${String(data)}`);
  });
  const code = await new Promise<number>((resolve) => socket.once("close", resolve));
  return { messages, code };
}

test("a log goes out as an empty message and one a chunk, binary or base64", async (t) => {
  async function* log(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("line 1\n");
    yield Buffer.from("line 2\n");
  }
  const url = await serve(t, (exchange) => streamOverWebSocket(exchange, log()));
  const rows: [protocols: string[], messages: string[]][] = [
    [["binary.k8s.io"], ["binary:", "binary:line 1\n", "binary:line 2\n"]],
    [[], ["binary:", "binary:line 1\n", "binary:line 2\n"]],
    [["base64.binary.k8s.io"], ["text:", `text:${btoa("line 1\n")}`, `text:${btoa("line 2\n")}`]],
  ];
  for (const [protocols, messages] of rows) {
    assert.deepEqual(await receive(url, protocols), { messages, code: 1000 });
  }
});

test("a source that fails closes with 1011; one that waits is left when the client leaves", async (t) => {
  const ended = Promise.withResolvers<void>();
  async function* failing(): AsyncGenerator<string> {
    yield "one";
    throw new Error("source failed");
  }
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) {
        yield "event";
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      ended.resolve();
    }
  }
  const url = await serve(t, async (exchange) => {
    const socket = await acceptWebSocket(exchange, [""]);
    assert.ok(socket);
    await sendMessages(socket, exchange.url === "/fail" ? failing() : endless());
  });
  assert.deepEqual(await receive(`${url}fail`, []), { messages: ["text:one"], code: 1011 });
  const socket = new WebSocket(url);
  await new Promise((resolve) => socket.once("message", resolve));
  socket.terminate();
  await ended.promise;
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { silentLogger } from "#base/log.ts";
import { serveHttp } from "#base/os/http.ts";
import { openWatchOutput } from "./watch-output.ts";

test("what waits for a WebSocket is counted in bytes", { timeout: 20_000 }, async () => {
  const counted = Promise.withResolvers<number[]>();
  const over = Promise.withResolvers<void>();
  await using server = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    log: silentLogger,
    async onRequest(exchange) {
      const output = openWatchOutput(exchange, "application/json");
      const counts = ["a", "äö", "€😀"].map((text) => {
        output.write(text);
        return output.pendingBytes;
      });
      counted.resolve(counts);
      await over.promise;
      assert.equal(output.pendingBytes, 0);
      output.end();
      await new Promise<void>((resolve) => output.onClose(resolve));
    },
  });
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  const messages: string[] = [];
  socket.on("message", (data: Buffer) => {
    messages.push(data.toString("utf8"));
    if (messages.length === 3) over.resolve();
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  assert.deepEqual(await counted.promise, [1, 5, 12]);
  await closed;
  assert.deepEqual(messages, ["a", "äö", "€😀"]);
});

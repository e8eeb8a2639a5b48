import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isIoError } from "../files.ts";
import type { UdpPacket } from "../network.ts";
import { systemNetwork } from "./network.ts";

test("TCP and unix connections carry bytes, and each half ends by itself", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kubets-"));
  try {
    for (const address of [{ host: "127.0.0.1", port: 0 }, { socketPath: join(directory, "s") }]) {
      await using listener = await systemNetwork.listen({
        address,
        onConnection: async (connection) => {
          let text = "";
          for await (const chunk of connection.iterator({ destroyOnReturn: false }))
            text += String(chunk);
          connection.end(`got ${text}`);
        },
      });
      const target = "socketPath" in address ? address : { ...address, port: listener.port };
      const connection = await systemNetwork.connect(target);
      connection.end("ping");
      let text = "";
      for await (const chunk of connection) text += String(chunk);
      assert.equal(text, "got ping");
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("disposing a listener breaks its connections off, and frees the port", async () => {
  const listener = await systemNetwork.listen({
    address: { host: "127.0.0.1", port: 0 },
    onConnection: () => undefined,
  });
  const target = { host: "127.0.0.1", port: listener.port };
  const taken = systemNetwork.listen({ address: target, onConnection: () => undefined });
  await assert.rejects(taken, (error) => isIoError(error, "EADDRINUSE"));
  const connection = await systemNetwork.connect(target);
  connection.on("error", () => undefined).resume();
  const closed = new Promise((resolve) => connection.once("close", resolve));
  await listener[Symbol.asyncDispose]();
  await closed;
  await assert.rejects(systemNetwork.connect(target), {
    message: `dial tcp 127.0.0.1:${target.port}: connect: connection refused`,
  });
});

test("connect ends with the signal's reason", async () => {
  const reason = new Error("enough");
  const address = { host: "127.0.0.1", port: 1 };
  const connecting = systemNetwork.connect(address, { signal: AbortSignal.abort(reason) });
  await assert.rejects(connecting, reason);
});

test("UDP packets arrive with their sender", async () => {
  const arrived = Promise.withResolvers<UdpPacket>();
  const answered = Promise.withResolvers<UdpPacket>();
  await using server = await systemNetwork.openUdp({
    host: "127.0.0.1",
    port: 0,
    onPacket: (packet) => arrived.resolve(packet),
  });
  await using client = await systemNetwork.openUdp({
    host: "127.0.0.1",
    port: 0,
    onPacket: (packet) => answered.resolve(packet),
  });
  client.send({ bytes: Buffer.from("ask"), host: "127.0.0.1", port: server.port });
  const { bytes, ...from } = await arrived.promise;
  assert.deepEqual([String(bytes), from], ["ask", { host: "127.0.0.1", port: client.port }]);
  server.send({ bytes: Buffer.from("answer"), ...from });
  assert.equal(String((await answered.promise).bytes), "answer");
});

test("lookup gives addresses, or fails in Go's words", async () => {
  assert.deepEqual(await systemNetwork.lookup("192.0.2.7"), ["192.0.2.7"]);
  assert.ok((await systemNetwork.lookup("localhost")).length > 0);
  await assert.rejects(systemNetwork.lookup("no such name"), /lookup no such name: no such host/);
  assert.ok(systemNetwork.addresses().every((address) => address !== "127.0.0.1"));
});

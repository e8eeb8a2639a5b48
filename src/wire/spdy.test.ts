import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { createSpdySession, type SpdySession, type SpdyStream } from "./spdy.ts";
import { createHeaderPacker, createHeaderUnpacker, spdyDictionary } from "./spdy-headers.ts";

/** Two ends of one connection in memory; `chunkBytes` cuts what goes through into small pieces. */
function pipePair(chunkBytes = Infinity): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        for (let at = 0; at < chunk.length; at += Math.min(chunkBytes, chunk.length)) {
          other().push(chunk.subarray(at, Math.min(chunk.length, at + chunkBytes)));
        }
        setImmediate(done);
      },
      final(done) {
        other().push(null);
        done();
      },
    });
  const a: Duplex = make(() => b);
  const b: Duplex = make(() => a);
  return [a, b];
}

function sessionPair(
  onStream: (stream: SpdyStream) => void,
  chunkBytes?: number,
): { client: SpdySession; server: SpdySession } {
  const [a, b] = pipePair(chunkBytes);
  return {
    client: createSpdySession({ socket: a, role: "client" }),
    server: createSpdySession({ socket: b, role: "server", onStream }),
  };
}

async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test("the dictionary is the one of SPDY/3", () => {
  let [a, b] = [1, 0];
  for (const byte of spdyDictionary) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  assert.equal(spdyDictionary.length, 1423);
  assert.equal((b * 65536 + a).toString(16), "e3c6a7c2");
});

test("header blocks round-trip in one compression context", async () => {
  const packer = createHeaderPacker();
  using unpacker = createHeaderUnpacker();
  const big = "x".repeat(200_000);
  for (const headers of [
    { streamtype: "stdin" },
    {},
    { big },
    { "Stream-Type": "é", port: "80" },
  ]) {
    const expected = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    assert.deepEqual(await unpacker.unpack(packer.pack(headers)), expected);
  }
});

for (const chunkBytes of [Infinity, 1000, 3]) {
  test(`streams carry headers and data both ways, pieces of ${chunkBytes} bytes`, async () => {
    const size = chunkBytes === 3 ? 2000 : 3 << 20;
    const { client } = sessionPair((stream) => {
      stream.write(`you are ${stream.headers["streamtype"]}:`);
      stream.pipe(stream);
    }, chunkBytes);
    const streams = ["error", "stdin", "stdout"].map((streamtype) =>
      client.createStream({ streamtype }),
    );
    const data = Buffer.alloc(size, "abcdefg");
    const results = streams.map(async (stream) => {
      stream.end(data);
      return readAll(stream);
    });
    for (const [i, result] of (await Promise.all(results)).entries()) {
      const type = ["error", "stdin", "stdout"][i];
      assert.equal(result.compare(Buffer.concat([Buffer.from(`you are ${type}:`), data])), 0);
    }
    client.close();
    await client.closed;
  });
}

test("half-close is seen, and the other half goes on", async () => {
  const { client } = sessionPair(async (stream) => {
    const input = await readAll(stream);
    stream.end(`got ${input.length}`);
  });
  const stream = client.createStream({});
  stream.end("12345");
  assert.equal(String(await readAll(stream)), "got 5");
});

test("a reset ends the peer's stream after what was sent; the session goes on", async () => {
  const seen = Promise.withResolvers<string>();
  const { client } = sessionPair(async (stream) => {
    if (stream.headers["n"] === "2") stream.end("fine");
    else {
      // A reader that comes late still gets what came before the reset.
      await new Promise((resolve) => stream.once("finish", resolve));
      seen.resolve(String(await readAll(stream)));
    }
  });
  const first = client.createStream({ n: "1" });
  first.write("x", () => first.destroy());
  assert.equal(await seen.promise, "x");
  const second = client.createStream({ n: "2" });
  assert.equal(String(await readAll(second)), "fine");
});

test("pings are sent back", async () => {
  const [a, b] = pipePair();
  using server = createSpdySession({ socket: b, role: "server" });
  const ping = Buffer.from([0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]);
  const answer = new Promise((resolve) => a.once("data", resolve));
  a.write(ping);
  assert.deepEqual(await answer, ping);
  assert.ok(server);
});

test("streams are refused where none are expected, and end when the session does", async () => {
  const [a, b] = pipePair();
  const client = createSpdySession({ socket: a, role: "client" });
  const server = createSpdySession({ socket: b, role: "server" });
  assert.equal(String(await readAll(client.createStream({}))), "");
  const open = client.createStream({});
  server[Symbol.dispose]();
  a.destroy();
  assert.equal(String(await readAll(open)), "");
  await client.closed;
});

test("a reader that is behind holds the connection, and nothing is lost", async () => {
  const received = Promise.withResolvers<SpdyStream>();
  const { client } = sessionPair((stream) => received.resolve(stream), 1 << 16);
  const stream = client.createStream({});
  const total = 8 << 20;
  let written = 0;
  const chunk = Buffer.alloc(1 << 16);
  const write = (): void => {
    while (written < total) {
      written += chunk.length;
      if (!stream.write(chunk)) {
        stream.once("drain", write);
        return;
      }
    }
    stream.end();
  };
  write();
  const slow = await received.promise;
  let seen = 0;
  for await (const part of slow) {
    seen += (part as Buffer).length;
    assert.ok(slow.readableLength <= 3 << 20);
  }
  assert.equal(seen, total);
});

test("garbage ends the session without throwing", async () => {
  for (const bytes of [
    "GET / HTTP/1.1\r\n\r\n",
    "\x80\x03\x00\x01\x00\xff\xff\xff",
    "\x80\x03\x00\x01\x00\x00\x00\x0e" + "z".repeat(14),
  ]) {
    const [a, b] = pipePair();
    const server = createSpdySession({ socket: b, role: "server", onStream() {} });
    a.end(Buffer.from(bytes, "latin1"));
    a.resume();
    await server.closed;
  }
});

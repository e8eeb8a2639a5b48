/**
 * SPDY/3.1 header blocks: name and value pairs, compressed with one zlib stream per direction that
 * starts from a fixed dictionary (SPDY/3 draft, section 2.6.10).
 */
import { createInflate, type Inflate } from "node:zlib";

/** Names may come in any case and go out in lower case; several values are joined by NUL. */
export type SpdyHeaders = Readonly<Record<string, string>>;

/** Longest block, packed or not, that is read. */
export const headerBlockBytesMax = 1 << 20;

const prefixedWords =
  "options head post put delete trace accept accept-charset accept-encoding accept-language " +
  "accept-ranges age allow authorization cache-control connection content-base content-encoding " +
  "content-language content-length content-location content-md5 content-range content-type date " +
  "etag expect expires from host if-match if-modified-since if-none-match if-range " +
  "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate " +
  "proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade " +
  "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url " +
  "public set-cookie keep-alive origin";

const plainText =
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
  "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request" +
  "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented" +
  "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, " +
  "Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml," +
  "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch" +
  "charset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

/** The dictionary of SPDY/3: 1,423 bytes. */
export const spdyDictionary: Uint8Array = Buffer.concat([
  ...prefixedWords.split(" ").map((word) => lengthPrefixed(word.replace("_", " "))),
  Buffer.from(plainText),
]);

/** Adler-32 of the dictionary, which a zlib stream names to ask for it. */
const dictionaryId = 0xe3c6a7c2;

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const out = Buffer.alloc(4 + bytes.length);
  out.writeUInt32BE(bytes.length);
  bytes.copy(out, 4);
  return out;
}

/** Packs blocks of one direction, in the order in which they are sent. */
export interface HeaderPacker {
  pack(headers: SpdyHeaders): Uint8Array;
}

/**
 * A zlib stream of stored blocks: peers must inflate, but nobody must compress. Each block ends
 * with an empty stored one, or Go's reader takes the end of the first for the end of all.
 */
export function createHeaderPacker(): HeaderPacker {
  let begun = false;
  return {
    pack(headers) {
      const entries = Object.entries(headers);
      const count = Buffer.alloc(4);
      count.writeUInt32BE(entries.length);
      const pairs = entries.flatMap(([name, value]) => [
        lengthPrefixed(name.toLowerCase()),
        lengthPrefixed(value),
      ]);
      const block = storedBlocks(Buffer.concat([count, ...pairs]));
      if (begun) return block;
      begun = true;
      const head = Buffer.from([0x78, 0xbb, 0, 0, 0, 0]);
      head.writeUInt32BE(dictionaryId, 2);
      return Buffer.concat([head, block]);
    },
  };
}

const storedBytesMax = 0xffff;

function storedBlocks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += storedBytesMax) {
    const part = bytes.subarray(at, at + storedBytesMax);
    parts.push(storedHeader(part.length), part);
  }
  return Buffer.concat([...parts, storedHeader(0)]);
}

function storedHeader(length: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(length, 1);
  head.writeUInt16LE(length ^ 0xffff, 3);
  return head;
}

export interface HeaderUnpacker extends Disposable {
  /** Blocks one after another, in the order in which they came: wait before the next. */
  unpack(block: Uint8Array): Promise<SpdyHeaders>;
}

export function createHeaderUnpacker(): HeaderUnpacker {
  const inflate = createInflate({
    dictionary: spdyDictionary,
    // Paused reading must never stop the inflation of a whole block.
    readableHighWaterMark: 2 * headerBlockBytesMax,
    chunkSize: 4096,
  } as Parameters<typeof createInflate>[0]);
  inflate.on("error", () => undefined);
  return {
    async unpack(block) {
      await written(inflate, block);
      const bytes = inflate.read() as Buffer | null;
      return readPairs(bytes ?? Buffer.alloc(0));
    },
    [Symbol.dispose]: () => void inflate.destroy(),
  };
}

/** Node forgets the callback of a write that fails. */
function written(inflate: Inflate, block: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    inflate.once("error", reject);
    inflate.write(block, () => {
      inflate.off("error", reject);
      resolve();
    });
  });
}

function readPairs(bytes: Buffer): SpdyHeaders {
  let at = 0;
  const number = (): number => {
    if (at + 4 > bytes.length) throw new RangeError("header block is too short");
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > bytes.length) throw new RangeError("header block is too short");
    at += length;
    return bytes.toString("utf8", at - length, at);
  };
  const headers: [string, string][] = [];
  for (let left = number(); left > 0; left--) headers.push([text().toLowerCase(), text()]);
  return Object.fromEntries(headers);
}

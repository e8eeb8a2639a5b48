/**
 * Surgery on encoded objects. Stored JSON bytes carry no `metadata.resourceVersion` (the store's
 * revision is the truth); readers get it spliced in. Bytes of built-in kinds begin with
 * `{"kind":...,"apiVersion":...`, and are Go's JSON: no white space, members in struct order.
 */

import type { JsonChunks } from "./json-chunks.ts";
import type { KubeObject } from "./object.ts";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Members of ObjectMeta that Go writes before `resourceVersion`. */
const beforeResourceVersion = ["name", "generateName", "namespace", "selfLink", "uid"];
const keysBefore: readonly Uint8Array[] = beforeResourceVersion.map((key) =>
  Buffer.from(`"${key}":`),
);

/** Order of the members of `metadata`: Go's struct, or sorted as in custom resources. */
export type MemberOrder = "struct" | "sorted";

/** Where in the bytes a resourceVersion belongs, and whether a comma goes before and after it. */
export interface ResourceVersionPlace {
  readonly offset: number;
  readonly commaBefore: boolean;
  readonly commaAfter: boolean;
}

/** Undefined when there is no `metadata` object. */
export function findResourceVersionPlace(
  encoded: Uint8Array,
  order: MemberOrder = "struct",
): ResourceVersionPlace | undefined {
  let at = findMetadata(encoded);
  if (at === undefined) return undefined;
  let first = true;
  while (encoded[at] === quote || encoded[at] === comma) {
    const start = encoded[at] === comma ? at + 1 : at;
    const keyEnd = endOfString(encoded, start);
    if (!standsBefore(encoded, { start, end: keyEnd }, order)) {
      return { offset: start, commaBefore: false, commaAfter: true };
    }
    at = endOfValue(encoded, keyEnd + 1);
    first = false;
  }
  return { offset: at, commaBefore: !first, commaAfter: false };
}

function standsBefore(
  encoded: Uint8Array,
  range: { start: number; end: number },
  order: MemberOrder,
): boolean {
  if (order === "struct") return keysBefore.some((key) => startsWith(encoded, key, range.start));
  return Buffer.from(encoded.subarray(range.start + 1, range.end - 1)).toString() < resourceVersion;
}

const resourceVersion = "resourceVersion";

/** A copy of the bytes with `"resourceVersion":"N"` at its place. */
export function spliceResourceVersion(
  encoded: Uint8Array,
  revision: number | bigint | string,
  order: MemberOrder = "struct",
): Uint8Array {
  const place = findResourceVersionPlace(encoded, order);
  if (place === undefined) return encoded;
  const { offset } = place;
  const member = memberAt(place, revision);
  const spliced = Buffer.allocUnsafe(encoded.length + member.length);
  spliced.set(encoded.subarray(0, offset));
  spliced.write(member, offset, "latin1");
  spliced.set(encoded.subarray(offset), offset + member.length);
  return spliced;
}

function memberAt({ commaBefore, commaAfter }: ResourceVersionPlace, revision: number | bigint | string | undefined): string {
  return `${commaBefore ? "," : ""}"resourceVersion":"${revision}"${commaAfter ? "," : ""}`;
}

const metadataKey = Buffer.from('"metadata":{');

/** The offset behind the brace of `metadata`, a member of the outermost object. */
function findMetadata(encoded: Uint8Array): number | undefined {
  if (encoded[0] !== openBrace) return undefined;
  let at = 1;
  while (encoded[at] === quote) {
    if (startsWith(encoded, metadataKey, at)) return at + metadataKey.length;
    at = endOfValue(encoded, endOfString(encoded, at) + 1);
    if (encoded[at] !== comma) return undefined;
    at++;
  }
  return undefined;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array, at: number): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

/** The offset behind the closing quote of the string that begins at `at`. */
function endOfString(bytes: Uint8Array, at: number): number {
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === backslash) i++;
    else if (byte === quote) return i + 1;
  }
  return bytes.length;
}

/** The offset behind the value that begins at `at`. */
function endOfValue(bytes: Uint8Array, at: number): number {
  if (bytes[at] === quote) return endOfString(bytes, at);
  let depth = 0;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === quote) i = endOfString(bytes, i) - 1;
    else if (byte === openBrace || byte === openBracket) depth++;
    else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (byte === comma && depth === 0) return i;
  }
  return bytes.length;
}

/**
 * Adds an item of a list of its kind: the bytes without the `kind` and `apiVersion` that they begin with, and with the
 * resourceVersion, if any, at its place.
 */
export function writeListItem(out: JsonChunks, encoded: Uint8Array, revision: number | undefined): void {
  const start = membersOffset(encoded);
  out.writeText("{");
  const place = revision === undefined ? undefined : findResourceVersionPlace(encoded);
  if (place === undefined) return out.write(encoded, start);
  out.write(encoded, start, place.offset);
  out.writeText(memberAt(place, revision));
  out.write(encoded, place.offset);
}

/** Behind `{"kind":...,"apiVersion":...,`, or behind the brace where these do not come first. */
function membersOffset(encoded: Uint8Array): number {
  if (!startsWith(encoded, kindKey, 1)) return 1;
  let at = endOfString(encoded, kindKey.length + 1);
  if (encoded[at] !== comma || !startsWith(encoded, apiVersionKey, at + 1)) return 1;
  at = endOfString(encoded, at + 1 + apiVersionKey.length);
  return encoded[at] === comma ? at + 1 : at;
}

const kindKey = Buffer.from('"kind":');
const apiVersionKey = Buffer.from('"apiVersion":');

/** A copy of the object with `metadata.resourceVersion` at its place; shares all else. */
export function withResourceVersion<T extends KubeObject>(
  object: T,
  revision: number | bigint | string,
): T {
  const metadata: Record<string, unknown> = {};
  let placed = false;
  for (const [key, value] of Object.entries(object.metadata ?? {})) {
    if (!placed && !beforeResourceVersion.includes(key)) {
      metadata[resourceVersion] = `${revision}`;
      placed = true;
    }
    if (key !== resourceVersion) metadata[key] = value;
  }
  if (!placed) metadata[resourceVersion] = `${revision}`;
  return { ...object, metadata };
}

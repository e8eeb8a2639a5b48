import { isJsonMap, type JsonMap } from "#apimachinery/json-value.ts";
import { type Document, documentOf } from "#apimachinery/openapi/document.ts";
import type { OpenApi } from "#apimachinery/openapi/documents.ts";
import { openApiFromSwagger } from "#apimachinery/openapi/from-v2.ts";
import { encodeSwagger } from "#apimachinery/openapi/gnostic-v2.ts";
import { encodeOpenApi } from "#apimachinery/openapi/gnostic-v3.ts";
import { mergeSwagger } from "#apimachinery/openapi/merge-v2.ts";
import { parseJson, writeJson } from "#wire/json.ts";
import { mergeV3Index, type RemoteOpenApi } from "./remote-openapi.ts";

export type Documents = Pick<OpenApi, "v2" | "v2Proto" | "v3" | "v3Hash" | "v3Index" | "v3Proto">;

/** What other servers say of their schemas, by `group/version`. */
type Remotes = ReadonlyMap<string, RemoteOpenApi>;

/**
 * Puts the documents of other servers to our own. The v2 document is merged when somebody asks, and kept until a
 * server says something else; v3 documents are those servers' own, unless one has none: then it is made of v2.
 */
export function createRemoteDocuments(): (own: OpenApi, remotes: Remotes) => Documents {
  let kept: { readonly documents: Documents; readonly generation: number; readonly remotes: Remotes } | undefined;
  return (own, remotes) => {
    const { generation } = own;
    if (remotes.size === 0) kept = undefined;
    else if (kept?.generation !== generation || !isSame(kept.remotes, remotes)) {
      kept = { documents: withRemotes(own, remotes), generation, remotes };
    }
    return kept?.documents ?? own;
  };
}

function isSame(before: Remotes, now: Remotes): boolean {
  return before.size === now.size && [...now].every(([name, remote]) => before.get(name) === remote);
}

function withRemotes(own: OpenApi, remotes: Remotes): Documents {
  const v2 = once(() => documentOf(writeJson(swaggerOf(own, remotes))));
  const v2Proto = once(() => documentOf(encodeSwagger(swaggerOf(own, remotes)), v2().hash));
  const legacy = legacyDocuments(remotes);
  const index = once(() => {
    const urls = [...remotes].flatMap(([name, { v3Url }]) => (v3Url === undefined ? [] : [[`apis/${name}`, v3Url] as const]));
    const made = [...legacy].map(([name, { json }]) => [name, `/openapi/v3/${name}?hash=${json().hash}`] as const);
    const ours = parseJson(own.v3Index().bytes);
    return documentOf(writeJson(mergeV3Index(isJsonMap(ours) ? ours : {}, new Map([...urls, ...made]))));
  });
  return {
    v2,
    v2Proto,
    v3Index: index,
    v3: (name) => legacy.get(name)?.json() ?? own.v3(name),
    v3Hash: (name) => legacy.get(name)?.json().hash ?? own.v3Hash(name),
    v3Proto: (name) => legacy.get(name)?.protobuf() ?? own.v3Proto(name),
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function swaggerOf(own: OpenApi, remotes: Remotes): JsonMap {
  const ours = parseJson(own.v2().bytes);
  let merged: JsonMap = isJsonMap(ours) ? ours : {};
  for (const { swagger } of remotes.values()) if (swagger !== undefined) merged = mergeSwagger(merged, swagger);
  return merged;
}

interface LegacyDocument {
  readonly json: () => Document;
  readonly protobuf: () => Document;
}

/** v3 documents of servers that have v2 alone, by name. */
function legacyDocuments(remotes: Remotes): ReadonlyMap<string, LegacyDocument> {
  const made = new Map<string, LegacyDocument>();
  for (const [name, { v3Url, swagger }] of remotes) {
    if (v3Url !== undefined || swagger === undefined) continue;
    const json = once(() => documentOf(writeJson(openApiFromSwagger(swagger))));
    const protobuf = once(() => documentOf(encodeOpenApi(openApiFromSwagger(swagger)), json().hash));
    made.set(`apis/${name}`, { json, protobuf });
  }
  return made;
}

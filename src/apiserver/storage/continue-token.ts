import { badRequest, type StatusError } from "#apimachinery/status.ts";
import type { Key, Revision } from "#store/store.ts";

/**
 * Where the next page of a list begins. Wire: base64url of `{"v","rv","start"}`; `start` is
 * relative to the listed prefix. Revision -1 means: go on at the newest state, inconsistently.
 * Source: k8s.io/apiserver/pkg/storage/continue.go.
 */
export interface ContinuePosition {
  readonly revision: Revision;
  readonly startKey: Key;
}

const tokenVersion = "meta.k8s.io/v1";

export function encodeContinue(position: ContinuePosition, prefix: Key): string {
  const start = Buffer.from(position.startKey.slice(prefix.length), "latin1").toString("utf8");
  const token = { v: tokenVersion, rv: position.revision, start };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

export function decodeContinue(token: string, prefix: Key): ContinuePosition {
  const wrong = token.search(/[^A-Za-z0-9_-]/);
  // One character holds less than a byte.
  const at = wrong < 0 && token.length % 4 === 1 ? token.length - 1 : wrong;
  if (at >= 0) {
    throw invalidToken(`continue key is not valid: illegal base64 data at input byte ${at}`);
  }
  const parsed = parse(Buffer.from(token, "base64url").toString("utf8"));
  if (parsed.v !== tokenVersion) {
    throw invalidToken(
      `continue key is not valid: server does not recognize this encoded version ${parsed.v}`,
    );
  }
  if (parsed.rv === 0) {
    throw invalidToken(
      `continue key is not valid: incorrect encoded start resourceVersion (version ${tokenVersion})`,
    );
  }
  if (parsed.start === "") {
    throw invalidToken(
      `continue key is not valid: encoded start key empty (version ${tokenVersion})`,
    );
  }
  if (!isClean(parsed.start)) throw invalidToken(`continue key is not valid: ${parsed.start}`);
  const start = parsed.start.startsWith("/") ? parsed.start.slice(1) : parsed.start;
  const startKey = prefix + Buffer.from(start, "utf8").toString("latin1");
  return { revision: parsed.rv, startKey };
}

function parse(json: string): { v: string; rv: number; start: string } {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(json) as Record<string, unknown>;
  } catch {
    const shown = json === "" ? "unexpected end of JSON input" : goSyntaxError(json);
    throw invalidToken(`continue key is not valid: ${shown}`);
  }
  return {
    v: typeof value?.["v"] === "string" ? value["v"] : "",
    rv: typeof value?.["rv"] === "number" ? value["rv"] : 0,
    start: typeof value?.["start"] === "string" ? value["start"] : "",
  };
}

function goSyntaxError(json: string): string {
  const first = [...json][0] ?? "";
  return `invalid character '${first}' looking for beginning of value`;
}

/** A client could climb out of the prefix with `..`. */
function isClean(start: string): boolean {
  return start.split("/").every((part, i) => part !== ".." && part !== "." && (part !== "" || i === 0));
}

function invalidToken(detail: string): StatusError {
  return badRequest(`invalid continue token: ${detail}`);
}

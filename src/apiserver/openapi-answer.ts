import type { Document } from "#apimachinery/openapi/document.ts";
import type { HttpExchange, HttpResponseHeaders } from "#base/http.ts";
import { acceptsGzip } from "./http/send.ts";

/** Smaller documents are not worth compressing. Source: gziphandler DefaultMinSize. */
const gzipThresholdBytes = 1400;
const yearMs = 365 * 24 * 3600 * 1000;

export type DocumentForm = "json" | "protobuf";

interface MediaType {
  readonly subtype: string;
  readonly form: DocumentForm;
  /** What the answer says: Go's parser of media types refuses the `@`. */
  readonly contentType: string;
}

function mediaTypes(version: "v2" | "v3"): MediaType[] {
  const contentType = `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf`;
  return [
    { subtype: "json", form: "json", contentType: "application/json" },
    { subtype: `com.github.proto-openapi.spec.${version}.v1.0+protobuf`, form: "protobuf", contentType },
    { subtype: `com.github.proto-openapi.spec.${version}@v1.0+protobuf`, form: "protobuf", contentType },
  ];
}

const accepted = { v2: mediaTypes("v2"), v3: mediaTypes("v3") };

/** The form that the client likes best; undefined when it takes none. */
export function negotiateDocument(accept: string | undefined, version: "v2" | "v3"): MediaType | undefined {
  const wanted = accept === undefined || accept.trim() === "" ? "*/*" : accept;
  for (const { type, subtype } of clausesOf(wanted)) {
    if (type !== "application" && type !== "*") continue;
    const found = accepted[version].find((each) => subtype === "*" || subtype === each.subtype);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Clause {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

/** By falling quality, then wildcards last. Source: munnerz/goautoneg. */
function clausesOf(accept: string): Clause[] {
  const clauses = accept.split(",").flatMap((text): Clause[] => {
    const [mediaType = "", ...parameters] = text.split(";").map((part) => part.trim());
    const [type = "", subtype = type === "*" ? "*" : "", ...rest] = mediaType.split("/");
    if (subtype === "" || rest.length > 0) return [];
    const quality = parameters.find((each) => /^q\s*=/.test(each))?.split("=")[1];
    return [{ type, subtype, quality: quality === undefined ? 1 : Number(quality) || 0 }];
  });
  const wildcards = ({ type, subtype }: Clause): number => Number(type === "*") * 2 + Number(subtype === "*");
  return clauses.toSorted((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

/** Sends a document, or tells the client that it has it. `gzip`: where the client takes that. */
export function answerDocument(
  exchange: HttpExchange,
  document: Document,
  { contentType, gzip = false, more = {} }: { contentType: string; gzip?: boolean; more?: HttpResponseHeaders },
): void {
  const etag = `"${document.hash}"`;
  const headers = { etag, vary: "Accept", "content-type": contentType, ...more };
  if (matches(exchange.headers["if-none-match"], etag)) {
    exchange.respond(304, headers);
    return;
  }
  if (gzip && document.sizeBytes >= gzipThresholdBytes && acceptsGzip(exchange)) {
    const zipped = { ...headers, vary: "Accept, Accept-Encoding", "content-encoding": "gzip" };
    exchange.respond(200, zipped, document.gzipped);
  } else exchange.respond(200, headers, document.bytes);
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = (ifNoneMatch ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
  return known.includes(etag) || known.includes("*");
}

/** An address with the hash of the document may be kept for good. */
export function immutable(nowMs: number): HttpResponseHeaders {
  return { "cache-control": "public, immutable", expires: new Date(nowMs + yearMs).toUTCString() };
}

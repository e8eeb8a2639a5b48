import { failure, type StatusError } from "#apimachinery/status.ts";
import type { MediaType } from "../call.ts";

/** How an answer is to be written. */
export interface Representation {
  readonly mediaType: MediaType;
  /** Another shape of the same objects; "" for the objects themselves. */
  readonly as: "" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** `v1` or `v1beta1` of meta.k8s.io, with `as`. */
  readonly version: string;
  readonly pretty: boolean;
  /** `;stream=watch` was asked for. */
  readonly stream: boolean;
}

const mediaTypes: Readonly<Record<string, MediaType>> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "application/vnd.kubernetes.protobuf": "protobuf",
};

export const contentTypes: Readonly<Record<MediaType, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
};

const plain = { as: "", version: "", pretty: false, stream: false } as const;

export interface NegotiationRules {
  /** Custom resources have no protobuf. */
  readonly protobuf: boolean;
  /** Shapes that the resource can be shown in. */
  readonly shapes: boolean;
  readonly pretty: boolean;
}

/** The first acceptable representation in the client's order of preference. Errors: NotAcceptable. */
export function negotiate(accept: string | undefined, rules: NegotiationRules): Representation {
  if (accept === undefined || accept.trim() === "") {
    return { ...plain, mediaType: "json", pretty: rules.pretty };
  }
  for (const clause of parseAccept(accept)) {
    const found = acceptable(clause, rules);
    if (found !== undefined) return found;
  }
  throw notAcceptable(rules);
}

/** Whether JSON is to be indented: as the query says, or for people's tools. Source: negotiation isPrettyPrint. */
export function wantsIndent(query: URLSearchParams, userAgent: string | undefined): boolean {
  const asked = query.get("pretty");
  if (asked) return /^(?:1|t|T|true|TRUE|True)$/.test(asked);
  return /^(?:curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? "");
}

/**
 * The media type of aggregated discovery that the client takes, however it ranks the plain forms; undefined when it
 * takes none. Source: discovery/aggregated DiscoveryEndpointRestrictions.
 */
export function negotiateAggregated(accept: string): MediaType | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    const isAsked = Object.entries(aggregatedParameters).every(([name, value]) => parameters.get(name) === value);
    const mediaType = isAsked ? mediaTypeOf(type) : undefined;
    if (mediaType !== undefined) return mediaType;
  }
  return undefined;
}

const aggregatedParameters = { g: "apidiscovery.k8s.io", v: "v2", as: "APIGroupDiscoveryList" };

/** `application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList` */
export function aggregatedContentType(mediaType: MediaType): string {
  const parameters = Object.entries(aggregatedParameters).map(([name, value]) => `;${name}=${value}`);
  return contentTypes[mediaType] + parameters.join("");
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Clauses by falling quality, those of one quality in the order given. */
function parseAccept(accept: string): Clause[] {
  const clauses = accept.split(",").map((text) => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    const parameters = new Map(
      rest.map((part) => {
        const equals = part.indexOf("=");
        return [part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim().replace(/^"(.*)"$/, "$1")];
      }),
    );
    const quality = Number(parameters.get("q") ?? 1);
    return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
  });
  return clauses.toSorted((a, b) => b.quality - a.quality);
}

function acceptable(clause: Clause, rules: NegotiationRules): Representation | undefined {
  const mediaType = mediaTypeOf(clause.type);
  if (mediaType === undefined || (mediaType === "protobuf" && !rules.protobuf)) return undefined;
  const as = clause.parameters.get("as") ?? "";
  const base = {
    mediaType,
    pretty: rules.pretty || clause.parameters.get("pretty") === "1",
    stream: clause.parameters.get("stream") === "watch",
  };
  if (as === "") return { ...plain, ...base };
  if (!rules.shapes || clause.parameters.get("g") !== "meta.k8s.io") return undefined;
  const version = clause.parameters.get("v") ?? "";
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (as === "Table" && mediaType === "protobuf") return undefined;
  if (as !== "Table" && as !== "PartialObjectMetadata" && as !== "PartialObjectMetadataList") {
    return undefined;
  }
  return { ...base, as, version };
}

function mediaTypeOf(type: string): MediaType | undefined {
  if (type === "*/*" || type === "application/*") return "json";
  return mediaTypes[type];
}

function accepted(rules: NegotiationRules): string {
  return Object.keys(mediaTypes)
    .filter((type) => rules.protobuf || mediaTypes[type] !== "protobuf")
    .join(", ");
}

const watchTypes = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

/**
 * The router's own look at the Accept header, before anything is negotiated: types only, no
 * wildcard but `*\/*`. Errors: NotAcceptable. Source: go-restful's matchesAccept.
 */
export function acceptedByRoute(accept: string | undefined, withWatch: boolean): void {
  const types = [...Object.keys(mediaTypes), ...(withWatch ? watchTypes : [])];
  if (accept === undefined || accept.trim() === "") return;
  for (const clause of accept.split(",")) {
    const type = (clause.split(";")[0] ?? "").trim();
    if (type === "*/*" || Object.hasOwn(mediaTypes, type)) return;
  }
  const available = types.join(", ");
  throw failure("NotAcceptable", {
    message: `406: Not Acceptable\n\nAvailable representations: ${available}`,
    details: {},
  });
}

/** Watches are framed: there is no YAML of them. Errors: NotAcceptable. */
export function refuseUnframed({ mediaType }: Representation): void {
  if (mediaType !== "yaml") return;
  throw failure("NotAcceptable", {
    message: `only the following media types are accepted: ${watchTypes.join(", ")}`,
  });
}

function notAcceptable(rules: NegotiationRules): StatusError {
  return failure("NotAcceptable", {
    message: `only the following media types are accepted: ${accepted(rules)}`,
  });
}

/** A media type with parameters, RFC 2045. */
const wellFormed = /^[^;]+(;\s*[\w!#$%&'*+.^`|~-]+=("[^"]*"|[\w!#$%&'*+.^`|~-]+)\s*)*;?\s*$/;

/** Media type of a request body. Errors: UnsupportedMediaType. */
export function bodyMediaType(contentType: string | undefined, rules: NegotiationRules): MediaType {
  if (contentType === undefined || contentType.trim() === "") return "json";
  const type = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const found = wellFormed.test(contentType) && Object.hasOwn(mediaTypes, type) ? mediaTypes[type] : undefined;
  if (found !== undefined && (found !== "protobuf" || rules.protobuf)) return found;
  throw failure("UnsupportedMediaType", {
    message:
      "the body of the request was in an unknown format - accepted media types include: " +
      accepted({ ...rules, protobuf: true }),
  });
}

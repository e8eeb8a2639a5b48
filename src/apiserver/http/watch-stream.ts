import { PartialObjectMetadata } from "#apimachinery/meta/table.ts";
import { WatchEvent } from "#apimachinery/meta/watch-event.ts";
import { Status as StatusSchema } from "#apimachinery/meta/status.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { encodeProto, frameProto } from "#apimachinery/proto-codec.ts";
import type { StatusError } from "#apimachinery/status.ts";
import { writeJson } from "#wire/json.ts";
import type { Endpoint } from "../call.ts";
import type { WatchMessage } from "../rest/watch.ts";
import { codecOf } from "../storage/codec.ts";
import { protoEntry, protoOf, type RenderOptions } from "./render.ts";
import { partialMetadata, tableOf } from "./table.ts";

/** Turns watch messages into the frames of a response body, each encoded once for all watchers. */
export interface WatchEncoder {
  readonly contentType: string;
  frame(message: WatchMessage): Uint8Array;
  error(error: StatusError): Uint8Array;
}

export function createWatchEncoder(endpoint: Endpoint, options: RenderOptions): WatchEncoder {
  const { mediaType, as } = options.representation;
  if (as === "Table") return tableEncoder(endpoint, options);
  if (as !== "") return metadataEncoder(endpoint, options);
  return mediaType === "protobuf" ? protoEncoder(endpoint) : jsonEncoder(endpoint);
}

const jsonContentType = "application/json";
const encoder = new TextEncoder();

function jsonFrame(type: string, object: Uint8Array): Uint8Array {
  return Buffer.concat([encoder.encode(`{"type":"${type}","object":`), object, encoder.encode("}\n")]);
}

function jsonError(error: StatusError): Uint8Array {
  return jsonFrame("ERROR", writeJson(error.status));
}

function jsonEncoder({ definition }: Endpoint): WatchEncoder {
  return {
    contentType: jsonContentType,
    frame(message) {
      if (message.type === "BOOKMARK") {
        return jsonFrame("BOOKMARK", codecOf(definition).encode(message.object));
      }
      const { type, entry } = message;
      return entry.form(definition, `watch ${type}`, () => jsonFrame(type, entry.json(definition)));
    },
    error: jsonError,
  };
}

function protoFrame(type: string, object: Uint8Array): Uint8Array {
  return frameProto(encodeProto(WatchEvent, { type, object: { raw: object } }));
}

function protoEncoder({ definition }: Endpoint): WatchEncoder {
  return {
    contentType: "application/vnd.kubernetes.protobuf;stream=watch",
    frame(message) {
      if (message.type === "BOOKMARK") {
        return protoFrame("BOOKMARK", protoOf(message.object, definition.schema));
      }
      const { type, entry } = message;
      return entry.form(definition, `watch ${type} protobuf`, () =>
        protoFrame(type, protoEntry(entry, definition)),
      );
    },
    error: (error) => protoFrame("ERROR", protoOf(error.status as KubeObject, StatusSchema)),
  };
}

function metadataEncoder({ definition }: Endpoint, { representation }: RenderOptions): WatchEncoder {
  const proto = representation.mediaType === "protobuf";
  const { version } = representation;
  const encode = (type: string, object: KubeObject): Uint8Array => {
    const partial = partialMetadata(definition, object, version);
    return proto
      ? protoFrame(type, protoOf(partial, PartialObjectMetadata))
      : jsonFrame(type, writeJson(partial));
  };
  return {
    contentType: proto ? "application/vnd.kubernetes.protobuf;stream=watch" : jsonContentType,
    frame(message) {
      if (message.type === "BOOKMARK") return encode("BOOKMARK", message.object);
      const { type, entry } = message;
      const form = `watch ${type} ${representation.mediaType} metadata ${version}`;
      return entry.form(definition, form, () => encode(type, entry.as(definition)));
    },
    error: proto ? protoEncoder({ definition } as Endpoint).error : jsonError,
  };
}

function tableEncoder({ definition }: Endpoint, options: RenderOptions): WatchEncoder {
  const { representation, include, nowMs } = options;
  let first = true;
  const table = (object: KubeObject): KubeObject => {
    const withColumns = first;
    first = false;
    return tableOf({
      definition,
      objects: [object],
      metadata: { resourceVersion: object.metadata?.resourceVersion ?? "" },
      version: representation.version,
      include,
      nowMs,
      withColumns,
    });
  };
  return {
    contentType: jsonContentType,
    frame(message) {
      const object = message.type === "BOOKMARK" ? message.object : message.entry.as(definition);
      return jsonFrame(message.type, writeJson(table(object)));
    },
    error: jsonError,
  };
}

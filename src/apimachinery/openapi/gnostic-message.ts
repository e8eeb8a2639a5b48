import { writeYaml } from "#wire/yaml.ts";
import { ProtoWriter } from "../proto-writer.ts";
import type { Json } from "./definitions.ts";

/*
 * What gnostic's messages of OpenAPI v2 and v3 are written with: maps are lists of named entries there,
 * unions are messages. Source: gnostic's OpenAPIv2.proto, OpenAPIv3.proto and the parsers beside them.
 */

/** A document of these contents. */
export function writeDocument(content: Content, document: object): Uint8Array {
  const writer = new ProtoWriter(1 << 20);
  content(document, writer);
  return writer.take();
}

/** Writes a value without tag and length. */
export type Content = (value: unknown, to: ProtoWriter) => void;

/** Writes a field with its tag, if the value is there. */
export type FieldWriter = (value: unknown, to: ProtoWriter) => void;

interface Member {
  readonly key: string;
  readonly tag: number;
  readonly write: FieldWriter;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === false || value === 0;
}

export function string(tag: number): FieldWriter {
  return (value, to) => {
    if (typeof value !== "string" || value === "") return;
    to.string(value);
    to.varint(tag * 8 + 2);
  };
}

export function strings(tag: number): FieldWriter {
  return (value, to) => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    for (const item of list.toReversed()) {
      if (typeof item !== "string") continue;
      to.string(item);
      to.varint(tag * 8 + 2);
    }
  };
}

export function bool(tag: number): FieldWriter {
  return (value, to) => {
    if (value !== true) return;
    to.bool(true);
    to.varint(tag * 8);
  };
}

export function int(tag: number): FieldWriter {
  return (value, to) => {
    if (typeof value !== "number" || isAbsent(value)) return;
    to.int(value);
    to.varint(tag * 8);
  };
}

export function double(tag: number): FieldWriter {
  return (value, to) => {
    if (typeof value !== "number" || isAbsent(value)) return;
    to.double(value);
    to.varint(tag * 8 + 1);
  };
}

export function nested(tag: number, content: Content): FieldWriter {
  return (value, to) => {
    if (value === undefined) return;
    const mark = to.written;
    content(value, to);
    to.close(tag, mark);
  };
}

export function repeated(tag: number, content: Content): FieldWriter {
  return (value, to) => {
    if (!Array.isArray(value)) return;
    for (const item of value.toReversed()) nested(tag, content)(item, to);
  };
}

/** A map as a message whose field `tag` repeats entries of name (1) and value (2). */
export function named(
  tag: number,
  value: FieldWriter,
  keep: (key: string) => boolean = () => true,
): Content {
  return (map, to) => {
    for (const [key, item] of Object.entries(map as Json).toReversed()) {
      if (!keep(key)) continue;
      const mark = to.written;
      value(item, to);
      string(1)(key, to);
      to.close(tag, mark);
    }
  };
}

/** Any value: as YAML. */
export const any: Content = (value, to) => string(2)(writeYaml(value), to);

/** A scalar of one type or another, each with a field of its own, that is written even when zero. Nothing of other values. */
export function oneOfScalars(tags: { readonly number?: number; readonly boolean: number; readonly string?: number }): Content {
  return (value, to) => {
    if (typeof value === "boolean") {
      to.bool(value);
      to.varint(tags.boolean * 8);
    } else if (typeof value === "number" && tags.number !== undefined) {
      to.double(value);
      to.varint(tags.number * 8 + 1);
    } else if (typeof value === "string" && tags.string !== undefined) {
      to.string(value);
      to.varint(tags.string * 8 + 2);
    }
  };
}

function isExtension(key: string): boolean {
  return key.startsWith("x-");
}

/** Members by their names in JSON. */
export type Members = Readonly<Record<string, readonly [tag: number, write: (tag: number) => FieldWriter]>>;

/** A message of these members, from the highest tag to the lowest; `extensionsTag` holds `x-*`. */
export function message(members: Members, extensionsTag = 0): Content {
  const plan: Member[] = Object.entries(members)
    .map(([key, [tag, write]]) => ({ key, tag, write: write(tag) }))
    .toSorted((a, b) => b.tag - a.tag);
  const extensions = named(extensionsTag, nested(2, any), isExtension);
  return (value, to) => {
    const json = value as Json;
    // Extensions have the highest number of their message, but for paths.
    if (extensionsTag > 0) extensions(json, to);
    for (const { key, write } of plan) write(json[key], to);
  };
}

export function of(content: Content): (tag: number) => FieldWriter {
  return (tag) => nested(tag, content);
}

export function each(content: Content): (tag: number) => FieldWriter {
  return (tag) => repeated(tag, content);
}

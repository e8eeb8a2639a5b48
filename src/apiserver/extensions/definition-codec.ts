import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from "#api/apiextensions/v1/custom-resource-definition.ts";
import { JSONSchemaProps } from "#api/apiextensions/v1/json-schema-props.ts";
import { decodeTrusted } from "#apimachinery/json-trusted.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { codecOf, type ObjectCodec, setCodec } from "../storage/codec.ts";

/** JSON text of the schemas that are kept parsed; those unused longest are parsed anew when asked for. */
export const parsedSchemasBytesMax = 8 * 1024 * 1024;

/** A schema as it stands in stored bytes, and parsed while it is in use. */
interface StoredSchema {
  readonly bytes: Uint8Array;
  parsed: JSONSchemaProps | undefined;
}

/** Those that are parsed, the longest unused first. */
const parsedSchemas = new Set<StoredSchema>();
let parsedBytes = 0;

function parsedOf(schema: StoredSchema): JSONSchemaProps {
  if (schema.parsed !== undefined) {
    parsedSchemas.delete(schema);
    parsedSchemas.add(schema);
    return schema.parsed;
  }
  const parsed = decodeTrusted<JSONSchemaProps>(JSONSchemaProps, schema.bytes);
  schema.parsed = parsed;
  parsedSchemas.add(schema);
  parsedBytes += schema.bytes.length;
  for (const oldest of parsedSchemas) {
    if (parsedBytes <= parsedSchemasBytesMax || oldest === schema) break;
    oldest.parsed = undefined;
    parsedSchemas.delete(oldest);
    parsedBytes -= oldest.bytes.length;
  }
  return parsed;
}

const schemaKey = Buffer.from('"openAPIV3Schema":');
const [quote, backslash, open, close] = [0x22, 0x5c, 0x7b, 0x7d];

/** Where the object that begins at `start` ends. */
function endOfObject(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === quote) i = endOfString(bytes, i);
    else if (byte === open) depth++;
    else if (byte === close && --depth === 0) return i + 1;
  }
  return bytes.length;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== quote) i += bytes[i] === backslash ? 2 : 1;
  return i;
}

/** The object and, by the number that stands in its place, each schema in it. */
function withoutSchemas(bytes: Uint8Array): { readonly text: Uint8Array; readonly schemas: readonly StoredSchema[] } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  const schemas: StoredSchema[] = [];
  let done = 0;
  // Within a string its quotes would be escaped: this is a key, and no part of a schema that came before.
  for (let at = buffer.indexOf(schemaKey); at >= 0; at = buffer.indexOf(schemaKey, done)) {
    const start = at + schemaKey.length;
    if (buffer[start] !== open) {
      parts.push(buffer.subarray(done, start));
      done = start;
      continue;
    }
    const end = endOfObject(buffer, start);
    parts.push(buffer.subarray(done, start), Buffer.from(String(schemas.length)));
    schemas.push({ bytes: buffer.subarray(start, end), parsed: undefined });
    done = end;
  }
  return { text: Buffer.concat([...parts, buffer.subarray(done)]), schemas };
}

/**
 * As all built-in kinds, but that schemas are parsed when somebody reads them, and forgotten when
 * nobody does any more: definitions are large, and most of them stand idle.
 */
function lazyCodec(codec: ObjectCodec): ObjectCodec {
  return {
    ...codec,
    // A copy is as long as it has to be, and nothing of the writer's object stays.
    encodeStored: (object) => new Uint8Array(codec.encode(object)),
    decodeStored(bytes) {
      const { text, schemas } = withoutSchemas(bytes);
      const definition = codec.decodeStored(text) as KubeObject & Pick<CustomResourceDefinition, "spec">;
      for (const { schema } of definition.spec.versions) {
        const place: unknown = schema?.openAPIV3Schema;
        const stored = typeof place === "number" ? schemas[place] : undefined;
        if (schema === undefined || stored === undefined) continue;
        const get = (): JSONSchemaProps => parsedOf(stored);
        Object.defineProperty(schema, "openAPIV3Schema", { get, enumerable: true, configurable: true });
      }
      return definition;
    },
  };
}

let isLazy = false;

/** From here on definitions come out of the store with schemas that are parsed when read. */
export function readDefinitionsLazily(): void {
  if (isLazy) return;
  isLazy = true;
  setCodec(customResourceDefinitions, lazyCodec(codecOf(customResourceDefinitions)));
}

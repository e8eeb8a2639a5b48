/**
 * The JSON codec: parsed JSON -> object -> canonical object -> bytes, all derived from schemas.
 * Its parts have a file each; whoever needs the codec as a whole imports it from here.
 */
export { canonical } from "./canonical.ts";
export { DecodeError } from "./decode-error.ts";
export { type Decoded, decodeJson, decodeJsonValue, type DecodeOptions } from "./json-decode.ts";
export { encodeJson, encodeJsonValue, jsonTextOf } from "./json-encode.ts";
export { decodeTrusted, trustedValue } from "./json-trusted.ts";
export { applySchemaDefaults } from "./schema-defaults.ts";

/**
 * YAML as sigs.k8s.io/yaml reads and writes it: YAML 1.1 answers (`no` is false, `0644` is octal),
 * no timestamps, JSON inside YAML, the first document only.
 */
import { dump, loadAll, Schema, timestampTag, YAML11_SCHEMA, YAMLException } from "js-yaml";
import { findDuplicateKeys, JsonError, parseJson } from "./json.ts";

export class YamlError extends Error {
  override readonly name = "YamlError";
}

/** More aliases than this are a bomb, not a document. */
export const yamlAliasesMax = 100;

export interface YamlDocument {
  readonly value: unknown;
  /** `line 7: key "k" already set in map`, as strict decoding names repeated keys. */
  readonly duplicates: readonly string[];
}

const schema = new Schema(YAML11_SCHEMA.tags.filter((tag) => tag !== timestampTag));
const decoder = new TextDecoder("utf-8");

/** The first document. Errors: `YamlError`. */
export function parseYaml(bytes: Uint8Array | string): YamlDocument {
  const text = typeof bytes === "string" ? bytes : decoder.decode(bytes);
  if (/^\s*\{/.test(text)) {
    try {
      return { value: parseJson(text), duplicates: findDuplicateKeys(text) };
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
    }
  }
  try {
    const documents = loadAll(text, { schema, json: true, maxAliases: yamlAliasesMax });
    return { value: documents[0], duplicates: [] };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlError(`yaml: ${error.message.split("\n")[0] ?? ""}`);
  }
}

/** Every document of a stream. Errors: `YamlError`. */
export function parseYamlAll(text: string): unknown[] {
  try {
    return loadAll(text, { schema, json: true, maxAliases: yamlAliasesMax });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlError(`yaml: ${error.message.split("\n")[0] ?? ""}`);
  }
}

/** Keys sorted, lists not indented, as Go writes it. */
export function writeYaml(value: unknown): string {
  return dump(value, { schema, sortKeys: true, lineWidth: -1, noRefs: true, seqNoIndent: true, skipInvalid: true });
}

/**
 * YAML as sigs.k8s.io/yaml reads and writes it: YAML 1.1 answers (`no` is false, `0644` is octal),
 * no timestamps, JSON inside YAML.
 */
import { JsonError, parseJsonStrict, untypedJson } from "./json.ts";
import { decodeUtf8 } from "./utf8.ts";
import { readYamlDocument, type YamlDocument } from "./yaml-reader.ts";

export { YamlError, type YamlDocument } from "./yaml-reader.ts";
export { writeYaml } from "./yaml-writer.ts";

/** The first document, as upstream reads a request body. Errors: `YamlError`. */
export function parseYaml(input: Uint8Array | string): YamlDocument {
  return parseDocument(documentsOf(textOf(input))[0] ?? "");
}

/** Every document that is not empty. Errors: `YamlError`. */
export function parseYamlAll(input: Uint8Array | string): unknown[] {
  return documentsOf(textOf(input))
    .map((document) => parseDocument(document).value)
    .filter((value) => value !== undefined && value !== null);
}

function textOf(input: Uint8Array | string): string {
  const text = typeof input === "string" ? input : decodeUtf8(input);
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** A line that begins with three hyphens separates documents, wherever it stands. */
function documentsOf(text: string): string[] {
  const documents = text.split(/^(?=---(?:[ \t\r]|$))/m);
  // What stands before the first separator is no document unless it has content.
  const head = documents[0] ?? "";
  const isBlank = /^(?:\s*(?:#[^\n]*|%[^\n]*)?(?:\n|$))*$/.test(head);
  if (documents.length === 1 || !isBlank) return documents;
  return [head + (documents[1] ?? ""), ...documents.slice(2)];
}

function parseDocument(text: string): YamlDocument {
  if (/^\s*\{/.test(text)) {
    try {
      const { value, duplicates } = parseJsonStrict(text, { ...untypedJson, integers: "exact" });
      // YAML names the lines of repeated keys.
      if (duplicates.length === 0) return { value, duplicates };
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
    }
  }
  return readYamlDocument(text);
}

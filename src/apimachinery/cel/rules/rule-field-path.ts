import { childPath, propertySchema, valueSchema, type RuleSchema } from "./rule-schema.ts";

const step = /\.(?<name>(?!')[^.[\]]+)|\['(?<quoted>(?:[^'\\]|\\.)*)'\]/y;

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

/**
 * Reads a rule's `fieldPath`, such as `.spec.labels['a.b']`, and returns it as field paths of errors
 * are written; undefined when the schema has no such field.
 */
export function readFieldPath(text: string, root: RuleSchema): string | undefined {
  let path = "";
  let schema: RuleSchema | undefined = root;
  step.lastIndex = 0;
  for (let at = 0; at < text.length; at = step.lastIndex) {
    step.lastIndex = at;
    const { name, quoted } = step.exec(text)?.groups ?? {};
    const key: string | undefined = name ?? unescape(quoted);
    if (key === undefined || schema === undefined) return undefined;
    if (schema.properties === undefined) {
      schema = valueSchema(schema);
      path += `[${key}]`;
    } else {
      schema = propertySchema(schema, key);
      path = childPath(path, key);
    }
    if (schema === undefined) return undefined;
  }
  return path;
}

function unescape(quoted: string | undefined): string | undefined {
  if (quoted === undefined) return undefined;
  let valid = true;
  const text = quoted.replaceAll(/\\(.)/g, (_, letter: string) => {
    valid &&= Object.hasOwn(escapes, letter);
    return escapes[letter] ?? "";
  });
  return valid ? text : undefined;
}

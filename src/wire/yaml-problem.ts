import type { YAMLException } from "js-yaml";

/** The parser's reasons in go-yaml's words, where both stop at the same faults. */
const goReasons: readonly (readonly [reason: RegExp, words: string])[] = [
  [/tab characters must not be used/, "found character that cannot start any token"],
  [/bad indentation of a mapping entry/, "mapping values are not allowed in this context"],
  [/multiline key may not be an implicit key/, "could not find expected ':'"],
  [/expected ':' after a mapping key/, "could not find expected ':'"],
  [/bad indentation of a sequence entry/, "did not find expected '-' indicator"],
  [/within a flow collection|but found ','/, "did not find expected node content"],
  [/missed comma between flow collection/, "did not find expected ',' or '}'"],
  [/within a (single|double) quoted scalar/, "found unexpected end of stream"],
  [/unknown escape sequence/, "found unknown escape character"],
  [/end of the stream or a document separator/, "did not find expected <document start>"],
  [/non-printable characters/, "control characters are not allowed"],
  [/exceeded maxDepth|nesting/i, "exceeded max depth of 10000"],
];

/** Where a list or map in brackets is left open: after an item go-yaml misses what may follow one. */
function openCollection({ buffer, position }: { readonly buffer: string; readonly position: number }): string | undefined {
  const text = buffer.slice(0, position).replace(/\0+$/, "").trimEnd();
  if (/[[{,:]$/.test(text)) return undefined;
  const open: string[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|'[^']*'|[[\]{}]/g)) {
    if (token === "[" || token === "{") open.push(token);
    else if (token === "]" || token === "}") open.pop();
  }
  return `did not find expected ',' or '${open.at(-1) === "{" ? "}" : "]"}'`;
}

/** `yaml: line 3: ...`; go-yaml does not count a fault of its scanner in the first line. */
export function yamlProblem({ reason, mark }: YAMLException): string {
  const found = goReasons.find(([pattern]) => pattern.test(reason))?.[1] ?? reason;
  const words = (reason.includes("within a flow collection") && mark ? openCollection(mark) : undefined) ?? found;
  // These are faults of its parser.
  const unexpectedContent = /^did not find expected (node content|',')/.test(words);
  const line = (mark?.line ?? 0) + 1;
  return line > 1 || unexpectedContent ? `yaml: line ${line}: ${words}` : `yaml: ${words}`;
}

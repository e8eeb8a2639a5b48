/** Words that CEL keeps for itself. */
export const reservedWords: ReadonlySet<string> = new Set([
  "true",
  "false",
  "null",
  "in",
  "as",
  "break",
  "const",
  "continue",
  "else",
  "for",
  "function",
  "if",
  "import",
  "let",
  "loop",
  "package",
  "namespace",
  "return",
  "var",
  "void",
  "while",
]);

const escapes: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

const unescapes: Readonly<Record<string, string>> = {
  underscores: "__",
  dot: ".",
  dash: "-",
  slash: "/",
};

/**
 * The name under which CEL sees a JSON field, or undefined when no expression can name it.
 * Source: pkg/cel/escaping.go.
 */
export function escapeFieldName(name: string): string | undefined {
  if (reservedWords.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_.\-/][\w.\-/]*$/.test(name)) return undefined;
  return name.replace(/__|[-./]/g, (found) => escapes[found] ?? found);
}

/** The JSON field that a CEL name stands for, or undefined for an escape that does not exist. */
export function unescapeFieldName(escaped: string): string | undefined {
  let valid = true;
  const name = escaped.replace(/_{2}[^_]+_{2}/g, (found) => {
    const contents = found.slice(2, -2);
    const plain = Object.hasOwn(unescapes, contents) ? unescapes[contents] : undefined;
    if (plain !== undefined) return plain;
    if (!reservedWords.has(contents) || found.length !== escaped.length) valid = false;
    return contents;
  });
  return valid ? name : undefined;
}

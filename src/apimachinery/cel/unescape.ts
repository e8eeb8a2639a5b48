const utf8 = new TextEncoder();

/** The value of a string or bytes token, or the error cel-go reports for it. */
export type Unescaped<T> = { readonly value: T } | { readonly error: string };

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
  "'": 39,
  '"': 34,
  "`": 96,
  "?": 63,
};

/** Reads a STRING token: quotes, prefix `r`, escapes. Source: cel-go parser/unescape.go. */
export function unescapeString(token: string): Unescaped<string> {
  const { body, raw } = stripQuotes(token);
  if (raw || !body.includes("\\")) return { value: body };
  let out = "";
  for (const part of escapeParts(body)) {
    if (typeof part === "string") {
      out += part;
      continue;
    }
    if (part.code > 0x10ffff || (part.code >= 0xd800 && part.code <= 0xdfff)) {
      return { error: "invalid unicode code point" };
    }
    out += String.fromCodePoint(part.code);
  }
  return { value: out };
}

/**
 * Reads a BYTES token; `\x` and octal escapes are bytes, other text is UTF-8, and so are `\u`
 * escapes if they are allowed.
 */
export function unescapeBytes(token: string, unicode: boolean): Unescaped<Uint8Array> {
  const { body, raw } = stripQuotes(token.slice(1));
  if (raw || !body.includes("\\")) return { value: utf8.encode(body) };
  const chunks: Uint8Array[] = [];
  for (const part of escapeParts(body)) {
    if (typeof part === "string") chunks.push(utf8.encode(part));
    else if (part.unicode) {
      if (!unicode || part.code > 0x10ffff) return { error: "unable to unescape string" };
      chunks.push(utf8.encode(String.fromCodePoint(part.code)));
    } else chunks.push(Uint8Array.of(part.code));
  }
  return { value: new Uint8Array(Buffer.concat(chunks)) };
}

function stripQuotes(token: string): { body: string; raw: boolean } {
  const raw = token[0] === "r" || token[0] === "R";
  // All strings normalize line ends.
  const quoted = (raw ? token.slice(1) : token).replace(/\r\n?/g, "\n");
  const triple = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''"));
  const width = triple ? 3 : 1;
  return { body: quoted.slice(width, quoted.length - width), raw };
}

type EscapePart = string | { readonly code: number; readonly unicode: boolean };

const parts =
  /[^\\]+|\\[xX]([0-9a-fA-F]{2})|\\[uU]([0-9a-fA-F]{8}|[0-9a-fA-F]{4})|\\([0-3][0-7]{2})|\\(.)/gs;

function* escapeParts(body: string): Generator<EscapePart> {
  for (const [whole, hex, unicode, octal, simple] of body.matchAll(parts)) {
    if (hex !== undefined) yield { code: Number.parseInt(hex, 16), unicode: false };
    else if (unicode !== undefined) {
      const digits = whole[1] === "u" ? unicode.slice(0, 4) : unicode;
      yield { code: Number.parseInt(digits, 16), unicode: true };
      if (unicode.length > digits.length) yield unicode.slice(4);
    } else if (octal !== undefined) yield { code: Number.parseInt(octal, 8), unicode: false };
    else if (simple !== undefined) yield { code: simpleEscapes[simple] ?? 0, unicode: false };
    else yield whole;
  }
}

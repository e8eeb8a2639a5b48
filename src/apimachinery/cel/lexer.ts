import type { Issue } from "./source.ts";

export type TokenKind =
  | "punctuation"
  | "int"
  | "uint"
  | "float"
  | "string"
  | "bytes"
  | "ident"
  | "escapedIdent"
  | "eof";

export interface Token {
  readonly kind: TokenKind;
  /** As written; for end of input `<EOF>`. */
  readonly text: string;
  readonly offset: number;
}

export interface Lexed {
  /** Ends with an `eof` token. */
  readonly tokens: readonly Token[];
  readonly issues: readonly Issue[];
}

const identifier = /[A-Za-z_][A-Za-z0-9_]*/y;
const escapedIdentifier = /`[A-Za-z0-9_.\-/ ]+`/y;
const escapedPrefix = /`[A-Za-z0-9_.\-/ ]*/y;
const number =
  /(?<uint>0x[0-9a-fA-F]+[uU]|[0-9]+[uU])|(?<float>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|(?<int>0x[0-9a-fA-F]+|[0-9]+)/y;
const operator = /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/y;
const space = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y;
const escape = /\\(?:[abfnrtv"'\\?`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})/y;
const stringStart = /([bB]?)([rR]?)("""|'''|"|')/y;

/** Splits source into tokens; what fits no token is reported and skipped, as ANTLR does. */
export function lex(text: string): Lexed {
  const tokens: Token[] = [];
  const issues: Issue[] = [];
  let at = 0;
  while (at < text.length) {
    const blank = match(space, text, at);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const token = nextToken(text, at);
    if (token.kind === "error") {
      const shown = text.slice(at, token.end);
      issues.push({
        offset: at,
        message: `Syntax error: token recognition error at: '${displayText(shown)}'`,
      });
    } else {
      tokens.push({ kind: token.kind, text: text.slice(at, token.end), offset: at });
    }
    at = token.end;
  }
  tokens.push({ kind: "eof", text: "<EOF>", offset: text.length });
  return { tokens, issues };
}

/** Text of a token as ANTLR quotes it. */
export function displayText(text: string): string {
  return text.replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t");
}

type Scanned = { readonly kind: TokenKind | "error"; readonly end: number };

function nextToken(text: string, at: number): Scanned {
  const quoted = scanString(text, at);
  if (quoted !== undefined && quoted.kind !== "error") return quoted;
  const name = match(identifier, text, at);
  if (name !== undefined) {
    const reserved = name === "in" || name === "true" || name === "false" || name === "null";
    return { kind: reserved ? "punctuation" : "ident", end: at + name.length };
  }
  if (quoted !== undefined) return quoted;
  number.lastIndex = at;
  const numeric = number.exec(text);
  if (numeric !== null) {
    const kind = numeric.groups?.uint ? "uint" : numeric.groups?.float ? "float" : "int";
    return { kind, end: at + numeric[0].length };
  }
  const symbol = match(operator, text, at);
  if (symbol !== undefined) return { kind: "punctuation", end: at + symbol.length };
  const escaped = match(escapedIdentifier, text, at);
  if (escaped !== undefined) return { kind: "escapedIdent", end: at + escaped.length };
  return { kind: "error", end: errorEnd(text, at + unmatchedPrefix(text, at)) };
}

/** Length of the longest start of some token, of which the rest is missing. */
function unmatchedPrefix(text: string, at: number): number {
  const first = text[at];
  if (first === "&" || first === "|" || first === "=") return 1;
  return match(escapedPrefix, text, at)?.length ?? 0;
}

/** The offending character is part of what is reported and skipped. */
function errorEnd(text: string, at: number): number {
  const point = text.codePointAt(at);
  if (point === undefined) return text.length;
  return at + (point > 0xffff ? 2 : 1);
}

function scanString(text: string, at: number): Scanned | undefined {
  stringStart.lastIndex = at;
  const start = stringStart.exec(text);
  if (start === null) return undefined;
  const kind = start[1] === "" ? "string" : "bytes";
  const raw = start[2] !== "";
  const quote = start[3] ?? "";
  const bodyStart = at + start[0].length;
  const end = scanBody(text, bodyStart, { quote, raw });
  if (end >= 0) return { kind, end };
  // An unfinished ''' begins with the complete string ''.
  if (quote.length === 3) return { kind, end: bodyStart - 1 };
  return { kind: "error", end: errorEnd(text, -end - 1) };
}

/** End of the string, or the complement of the offset where it breaks off. */
function scanBody(text: string, from: number, { quote, raw }: { quote: string; raw: boolean }): number {
  let at = from;
  while (at < text.length) {
    if (text.startsWith(quote, at)) return at + quote.length;
    const character = text[at];
    if (quote.length === 1 && (character === "\n" || character === "\r")) return -at - 1;
    if (character === "\\" && !raw) {
      const sequence = match(escape, text, at);
      if (sequence === undefined) return -brokenEscape(text, at) - 1;
      at += sequence.length;
    } else {
      at++;
    }
  }
  return -text.length - 1;
}

/** Offset of the first character that no escape sequence allows. */
function brokenEscape(text: string, at: number): number {
  const hexCount = { x: 2, X: 2, u: 4, U: 8 }[text[at + 1] ?? ""] ?? 0;
  if (hexCount > 0) {
    let end = at + 2;
    while (end < at + 2 + hexCount && /[0-9a-fA-F]/.test(text[end] ?? "")) end++;
    return end;
  }
  if (/[0-3]/.test(text[at + 1] ?? "")) return /[0-7]/.test(text[at + 2] ?? "") ? at + 3 : at + 2;
  return at + 1;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

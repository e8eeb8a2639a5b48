/** How go-yaml v2 (libyaml's emitter) writes a string: which style, where lines fold. */
import { needsYamlQuotes } from "./yaml-scalar.ts";

/** A line is folded at the first single space beyond. */
const foldColumn = 80;
const indentStep = 2;

export interface TextPlace {
  /** Where continued lines begin. */
  readonly indent: number;
  /** Where the text begins. */
  readonly column: number;
  /** A key in short form: one line. */
  readonly isKey: boolean;
}

export function writeYamlText(text: string, place: TextPlace): string {
  const allowed = analyze(text);
  if (text.includes("\n") && !place.isKey) {
    return allowed.block ? literal(text, place) : doubleQuoted(text, place);
  }
  if (needsYamlQuotes(text)) return doubleQuoted(text, place);
  if (allowed.plain) return folded(text, place, { quote: "" });
  if (allowed.single && !(place.isKey && text.includes("\n"))) {
    return folded(text, place, { quote: "'" });
  }
  return doubleQuoted(text, place);
}

interface Allowed {
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

/** What may stand unquoted: no indicator at the start, none that ends a scalar inside. */
const indicatorAtStart = /^(?:[#,[\]{}&*!|>'"%@`]|[?:-](?:\s|$)|---|\.\.\.)/;
const indicatorInside = /:(?:\s|$)|\s#/;
/** What is not printed as it is: a tab too, and the rarer line breaks. */
const special =
  /[^\n\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

function analyze(text: string): Allowed {
  const isSpecial = special.test(text) || / \n/.test(text);
  const spaceAfterBreak = /\n /.test(text);
  const atEdge = /^[ \n]|[ \n]$/.test(text);
  const indicator =
    indicatorAtStart.test(text) || indicatorInside.test(text.slice(1)) || / #/.test(text);
  return {
    plain: !isSpecial && !spaceAfterBreak && !atEdge && !indicator && !text.includes("\n"),
    single: !isSpecial && !spaceAfterBreak,
    block: !isSpecial && !text.endsWith(" "),
  };
}

/** Plain or single-quoted text of one line, folded. */
function folded(text: string, place: TextPlace, style: { readonly quote: "" | "'" }): string {
  const body = style.quote === "" ? text : text.replaceAll("'", "''");
  if (place.isKey || place.column + body.length <= foldColumn) {
    return style.quote + body + style.quote;
  }
  const inner = style.quote === "" ? 0 : 1;
  let out = style.quote;
  let column = place.column + inner;
  let afterSpace = false;
  for (let i = 0; i < body.length; i++) {
    const char = body[i] as string;
    const isSpace = char === " ";
    const atEdge = inner > 0 && (i === 0 || i === body.length - 1);
    if (isSpace && !afterSpace && column > foldColumn && !atEdge && body[i + 1] !== " ") {
      out += `\n${" ".repeat(place.indent)}`;
      column = place.indent;
    } else {
      out += char;
      // A pair of surrogates is one column.
      if (char < "\udc00" || char > "\udfff") column++;
    }
    afterSpace = isSpace;
  }
  return out + style.quote;
}

/** `|` with the indicators for a leading space and for the newlines at the end. */
function literal(text: string, place: TextPlace): string {
  const hint = /^[ \n]/.test(text) ? String(indentStep) : "";
  let chomp = "";
  if (!text.endsWith("\n")) chomp = "-";
  else if (text === "\n" || text.endsWith("\n\n")) chomp = "+";
  const lines = text.replace(/\n$/, "").split("\n");
  const pad = " ".repeat(Math.max(place.indent, indentStep));
  const body = lines.map((line) => (line === "" ? "" : pad + line)).join("\n");
  // The newline that ends the last line belongs to the text only when it is kept.
  return `|${hint}${chomp}\n${body}`;
}

const escapes = new Map([
  ["\0", "0"],
  ["\u0007", "a"],
  ["\b", "b"],
  ["\t", "t"],
  ["\n", "n"],
  ["\v", "v"],
  ["\f", "f"],
  ["\r", "r"],
  ["\u001b", "e"],
  ['"', '"'],
  ["\\", "\\"],
  ["\u0085", "N"],
  ["\u00a0", "_"],
  ["\u2028", "L"],
  ["\u2029", "P"],
]);
const mustEscape = /^["\\\n]$/;

function doubleQuoted(text: string, place: TextPlace): string {
  const chars = [...text];
  let out = '"';
  let column = place.column + 1;
  let afterSpace = false;
  for (const [i, char] of chars.entries()) {
    if (mustEscape.test(char) || special.test(char)) {
      const escaped = escape(char);
      out += escaped;
      column += escaped.length;
      afterSpace = false;
      continue;
    }
    const folds = char === " " && !afterSpace && !place.isKey && column > foldColumn;
    if (folds && i > 0 && i < chars.length - 1) {
      out += `\n${" ".repeat(place.indent)}`;
      column = place.indent;
      if (chars[i + 1] === " ") {
        out += "\\";
        column++;
      }
    } else {
      out += char;
      column++;
    }
    afterSpace = char === " ";
  }
  return `${out}"`;
}

function escape(char: string): string {
  const known = escapes.get(char);
  if (known !== undefined) return `\\${known}`;
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

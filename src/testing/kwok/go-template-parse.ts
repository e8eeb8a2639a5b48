/** Reads text of Go's text/template, as far as stages of KWOK use it. */

export type Expression =
  | { readonly is: "literal"; readonly value: unknown }
  /** `.` with no fields is the value at hand. */
  | { readonly is: "dot"; readonly fields: readonly string[] }
  /** `$` has the empty name. */
  | { readonly is: "variable"; readonly name: string; readonly fields: readonly string[] }
  | { readonly is: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: "fields"; readonly of: Expression; readonly fields: readonly string[] };

export type TemplateNode =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "print"; readonly value: Expression }
  | { readonly is: "set"; readonly name: string; readonly value: Expression; readonly declares: boolean }
  | { readonly is: "if" | "with"; readonly value: Expression; readonly body: Body; readonly otherwise: Body }
  | { readonly is: "range"; readonly names: readonly string[]; readonly value: Expression; readonly body: Body; readonly otherwise: Body }
  | { readonly is: "define"; readonly name: string; readonly body: Body }
  | { readonly is: "template"; readonly name: string; readonly value: Expression | undefined }
  | { readonly is: "break" | "continue" };

export type Body = readonly TemplateNode[];

const actionPattern = /\{\{(- )?([\s\S]*?)( -)?\}\}/g;
const tokenPattern = /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|[=|(),]|\$?[A-Za-z_][\w]*|\$|-?\d+(?:\.\d+)?|\.[A-Za-z_]\w*|\.)/y;

/** Throws what is wrong with it. */
export function parseTemplate(text: string): Body {
  const parser = new Parser(split(text));
  const body = parser.body();
  if (parser.left) throw new Error("template: unexpected {{end}} or {{else}}");
  return body;
}

type Piece = { readonly text: string } | { readonly tokens: string[] };

function split(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trim = false;
  for (const match of text.matchAll(actionPattern)) {
    const [whole, before, action = "", after] = match;
    let plain = text.slice(at, match.index);
    if (trim) plain = plain.trimStart();
    if (before) plain = plain.trimEnd();
    if (plain !== "") pieces.push({ text: plain });
    if (!action.trim().startsWith("/*")) pieces.push({ tokens: tokensOf(action) });
    trim = after !== undefined;
    at = match.index + whole.length;
  }
  const rest = text.slice(at);
  pieces.push({ text: trim ? rest.trimStart() : rest });
  return pieces;
}

function tokensOf(action: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  const text = action.trim();
  while (tokenPattern.lastIndex < text.length) {
    const from = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (match === null) throw new Error(`template: unexpected ${JSON.stringify(text.slice(from, from + 20))}`);
    // A dot after a space begins an operand; without one it goes on with the last.
    const joined = match[0] === match[1] && from > 0 && (match[1] ?? "").startsWith(".");
    tokens.push((joined ? "~" : "") + (match[1] ?? ""));
  }
  return tokens;
}

class Parser {
  readonly #pieces: Piece[];
  #at = 0;
  #tokens: string[] = [];

  constructor(pieces: Piece[]) {
    this.#pieces = pieces;
  }

  get left(): boolean {
    return this.#at < this.#pieces.length;
  }

  /** Up to `else`, `end`, or the end of the text; that action is not consumed. */
  body(): Body {
    const nodes: TemplateNode[] = [];
    while (this.left) {
      const piece = this.#pieces[this.#at] as Piece;
      if ("text" in piece) nodes.push({ is: "text", text: piece.text });
      else {
        const [word] = piece.tokens;
        if (word === "end" || word === "else") return nodes;
        this.#tokens = [...piece.tokens];
        this.#at++;
        nodes.push(this.#action());
        continue;
      }
      this.#at++;
    }
    return nodes;
  }

  #action(): TemplateNode {
    const [word = "", second] = this.#tokens;
    switch (word) {
      case "if":
      case "with":
        this.#tokens.shift();
        return this.#branch(word);
      case "range":
        this.#tokens.shift();
        return this.#range();
      case "define": {
        const name = unquoted(second ?? "");
        return { is: "define", name, body: this.#bodyToEnd().body };
      }
      case "template": {
        this.#tokens.splice(0, 2);
        const value = this.#tokens.length > 0 ? this.#pipeline() : undefined;
        return { is: "template", name: unquoted(second ?? ""), value };
      }
      case "break":
      case "continue":
        return { is: word };
    }
    if (word.startsWith("$") && (second === ":=" || second === "=")) {
      this.#tokens.splice(0, 2);
      return { is: "set", name: word.slice(1), declares: second === ":=", value: this.#pipeline() };
    }
    return { is: "print", value: this.#pipeline() };
  }

  #branch(is: "if" | "with"): TemplateNode {
    const value = this.#pipeline();
    return { is, value, ...this.#bodyToEnd() };
  }

  #range(): TemplateNode {
    const names: string[] = [];
    const assigned = this.#tokens.indexOf(":=");
    for (const token of this.#tokens.splice(0, assigned + 1)) if (token.startsWith("$")) names.push(token.slice(1));
    const value = this.#pipeline();
    return { is: "range", names, value, ...this.#bodyToEnd() };
  }

  #bodyToEnd(): { body: Body; otherwise: Body } {
    const body = this.body();
    const piece = this.#pieces[this.#at++];
    if (piece === undefined || !("tokens" in piece)) throw new Error("template: unexpected EOF");
    if (piece.tokens[0] === "end") return { body, otherwise: [] };
    const [, word] = piece.tokens;
    if (word === "if" || word === "with") {
      this.#tokens = piece.tokens.slice(2);
      return { body, otherwise: [this.#branch(word)] };
    }
    return { body, otherwise: this.#bodyToEnd().body };
  }

  #pipeline(): Expression {
    let value = this.#command(undefined);
    while (this.#tokens[0] === "|") {
      this.#tokens.shift();
      value = this.#command(value);
    }
    return value;
  }

  /** `last`: what the command before gave, the last argument of this one. */
  #command(last: Expression | undefined): Expression {
    const [word = ""] = this.#tokens;
    if (!/^[A-Za-z_]/.test(word) || ["true", "false", "nil"].includes(word)) return this.#operand();
    this.#tokens.shift();
    const args: Expression[] = [];
    while (this.#tokens.length > 0 && !["|", ")"].includes(this.#tokens[0] ?? "")) args.push(this.#operand());
    if (last !== undefined) args.push(last);
    return { is: "call", name: word, args };
  }

  #operand(): Expression {
    const token = this.#tokens.shift() ?? "";
    if (token === "(") {
      const inner = this.#pipeline();
      if (this.#tokens.shift() !== ")") throw new Error("template: unclosed parenthesis");
      const fields = this.#fields();
      return fields.length === 0 ? inner : { is: "fields", of: inner, fields };
    }
    const plain = token.replace(/^~/, "");
    if (plain.startsWith("$")) return { is: "variable", name: plain.slice(1), fields: this.#fields() };
    if (plain === ".") return { is: "dot", fields: [] };
    if (plain.startsWith(".")) return { is: "dot", fields: [plain.slice(1), ...this.#fields()] };
    if (/^["`]/.test(plain)) return { is: "literal", value: unquoted(plain) };
    if (/^-?\d/.test(plain)) return { is: "literal", value: Number(plain) };
    if (plain === "true" || plain === "false") return { is: "literal", value: plain === "true" };
    if (plain === "nil") return { is: "literal", value: undefined };
    return { is: "call", name: plain, args: [] };
  }

  #fields(): string[] {
    const fields: string[] = [];
    while (this.#tokens[0]?.startsWith("~.") === true) fields.push((this.#tokens.shift() ?? "").slice(2));
    return fields;
  }
}

function unquoted(token: string): string {
  return token.startsWith("`") ? token.slice(1, -1) : (JSON.parse(token) as string);
}

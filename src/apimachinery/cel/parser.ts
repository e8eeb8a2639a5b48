import type { Expr, MapEntry, StructField } from "./ast.ts";
import { lex, type Token } from "./lexer.ts";
import { standardMacros, type Macro } from "./macros.ts";
import { codePoints, type Issue } from "./source.ts";
import { nameOf, operandStart, ParseAbort, startsOperand, TokenReader } from "./token-reader.ts";
import { createTreeBuilder, type TreeBuilder } from "./tree-builder.ts";
import { unescapeBytes, unescapeString } from "./unescape.ts";
import { CelUint, int64Max, int64Min, uint64Max, type CelValue } from "./value.ts";

export interface ParseOptions {
  /** Rewritten calls; the standard ones when left out. */
  readonly macros?: readonly Macro[];
  /** Allows `a.?b`, `a[?i]`, `[?e]`, `{?k: v}`. @default true */
  readonly optionalSyntax?: boolean;
  /** Allows field names in backquotes. @default true */
  readonly escapedIdentifiers?: boolean;
  /** Allows `\u` escapes in bytes, as cel-go did until 0.26. @default true */
  readonly unicodeInBytes?: boolean;
  readonly limits?: Partial<ParseLimits>;
}

/** Source: cel-go parser/options.go, the defaults. */
export interface ParseLimits {
  readonly expressionCodePointsMax: number;
  readonly depthMax: number;
  readonly recoveryAttemptsMax: number;
  readonly recoverySkipMax: number;
}

const parseLimits: ParseLimits = {
  expressionCodePointsMax: 100_000,
  depthMax: 250,
  recoveryAttemptsMax: 30,
  recoverySkipMax: 256,
};

export type Parsed =
  | { readonly ok: true; readonly expr: Expr }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Parses CEL source. Never throws: whatever is wrong is an issue with its place. */
export function parse(text: string, options: ParseOptions = {}): Parsed {
  const limits = { ...parseLimits, ...options.limits };
  const size = codePoints(text);
  if (size > limits.expressionCodePointsMax) {
    const limit = limits.expressionCodePointsMax;
    const message = `expression code point size exceeds limit: size: ${size}, limit ${limit}`;
    return { ok: false, issues: [{ offset: -1, message }] };
  }
  const parser = new Parser(text, { ...options, limits });
  return parser.parse();
}

const reserved: ReadonlySet<string> = new Set([
  "as",
  "break",
  "const",
  "continue",
  "else",
  "false",
  "for",
  "function",
  "if",
  "import",
  "in",
  "let",
  "loop",
  "package",
  "namespace",
  "null",
  "return",
  "true",
  "var",
  "void",
  "while",
]);

const relations: ReadonlyMap<string, string> = new Map([
  ["<", "_<_"],
  ["<=", "_<=_"],
  [">=", "_>=_"],
  [">", "_>_"],
  ["==", "_==_"],
  ["!=", "_!=_"],
  ["in", "@in"],
]);
const sums: ReadonlyMap<string, string> = new Map([
  ["+", "_+_"],
  ["-", "_-_"],
]);
const products: ReadonlyMap<string, string> = new Map([
  ["*", "_*_"],
  ["/", "_/_"],
  ["%", "_%_"],
]);

type ResolvedOptions = ParseOptions & { readonly limits: ParseLimits };

class Parser {
  readonly #reader: TokenReader;
  readonly #build: TreeBuilder = createTreeBuilder();
  readonly #macros: ReadonlyMap<string, Macro>;
  readonly #options: ResolvedOptions;
  #nesting = 0;

  constructor(text: string, options: ResolvedOptions) {
    this.#reader = new TokenReader(lex(text), options.limits);
    this.#options = options;
    const macros = options.macros ?? standardMacros;
    this.#macros = new Map(
      macros.map((macro) => [macroKey(macro.name, macro.argCount, macro.member), macro]),
    );
  }

  parse(): Parsed {
    const { issues } = this.#reader;
    try {
      const expr = this.#expr();
      this.#reader.expectEnd();
      if (issues.length === 0) return { ok: true, expr };
    } catch (thrown) {
      if (!(thrown instanceof ParseAbort)) throw thrown;
    }
    return { ok: false, issues };
  }

  #issue(offset: number, message: string): Expr {
    this.#reader.issues.push({ offset, message });
    return this.#build.unspecified(offset);
  }

  /** Deep trees would overflow the stack of everything that walks them. */
  #bounded(expr: Expr): Expr {
    if (expr.depth > this.#options.limits.depthMax) {
      this.#reader.abort("max recursion depth exceeded");
    }
    return expr;
  }

  #nested(followers: string[], parse: () => Expr = () => this.#expr()): Expr {
    return this.#reader.followedBy(followers, parse);
  }

  #expr(): Expr {
    if (++this.#nesting > this.#options.limits.depthMax) {
      const limit = this.#options.limits.depthMax;
      this.#reader.abort(`expression recursion limit exceeded: ${limit}`);
    }
    const condition = this.#logical("||", "_||_");
    const question = this.#reader.accept("?");
    if (question === undefined) {
      this.#nesting--;
      return condition;
    }
    const truthy = this.#nested([":"], () => this.#logical("||", "_||_"));
    const colon = this.#reader.expect(":", startsOperand);
    const falsy = colon === undefined ? this.#build.unspecified(question.offset) : this.#expr();
    this.#nesting--;
    return this.#call(question.offset, "_?_:_", [condition, truthy, falsy]);
  }

  /** `a && b && c` becomes a balanced tree, which keeps long chains shallow. */
  #logical(symbol: "||" | "&&", operator: string): Expr {
    const operand = (): Expr =>
      symbol === "||" ? this.#logical("&&", "_&&_") : this.#binary(relations, () => this.#sum());
    const terms = [operand()];
    const offsets: number[] = [];
    for (let token = this.#reader.accept(symbol); token; token = this.#reader.accept(symbol)) {
      offsets.push(token.offset);
      terms.push(operand());
    }
    return this.#balanced(operator, { terms, offsets, low: 0, high: offsets.length - 1 });
  }

  #balanced(operator: string, chain: Chain): Expr {
    const { terms, offsets, low, high } = chain;
    if (low > high) return terms[low] ?? this.#build.unspecified(0);
    const middle = Math.floor((low + high + 1) / 2);
    const left = this.#balanced(operator, { ...chain, high: middle - 1 });
    const right = this.#balanced(operator, { ...chain, low: middle + 1 });
    return this.#call(offsets[middle] ?? 0, operator, [left, right]);
  }

  #sum(): Expr {
    return this.#binary(sums, () => this.#binary(products, () => this.#unary()));
  }

  #binary(operators: ReadonlyMap<string, string>, operand: () => Expr): Expr {
    let left = operand();
    for (;;) {
      const token = this.#reader.peek();
      const operator = token.kind === "punctuation" ? operators.get(token.text) : undefined;
      if (operator === undefined) return left;
      this.#reader.next();
      const right = operand();
      left = this.#bounded(this.#call(token.offset, operator, [left, right]));
    }
  }

  #unary(): Expr {
    const reader = this.#reader;
    const first = reader.peek();
    if (reader.is("!")) return this.#prefixed("!", "!_");
    if (!reader.is("-")) return this.#member();
    const after = reader.peek(1);
    if (after.kind === "int" || after.kind === "float") {
      reader.next();
      return this.#selectors(this.#number(first));
    }
    return this.#prefixed("-", "-_");
  }

  #prefixed(symbol: "!" | "-", operator: string): Expr {
    const reader = this.#reader;
    const { offset } = reader.peek();
    let count = 0;
    while (reader.is(symbol)) {
      if (symbol === "-" && !startsOperand(reader.peek(1))) {
        const after = reader.peek(1);
        reader.next();
        reader.noViableAlternative("-", after);
        if (after.kind === "eof") {
          reader.next();
          reader.retryAfterUnexpected(operandStart);
        }
        return this.#build.unspecified(offset);
      }
      reader.next();
      count++;
    }
    const operand = this.#member();
    return count % 2 === 0 ? operand : this.#call(offset, operator, [operand]);
  }

  #member(): Expr {
    return this.#selectors(this.#primary());
  }

  #selectors(start: Expr): Expr {
    let operand = start;
    for (;;) {
      const token = this.#reader.peek();
      if (this.#reader.is(".")) operand = this.#afterDot(operand, token);
      else if (this.#reader.accept("[")) operand = this.#afterBracket(operand, token);
      else return operand;
      this.#bounded(operand);
    }
  }

  #afterDot(operand: Expr, dot: Token): Expr {
    const reader = this.#reader;
    const optional = reader.is("?", 1);
    const name = reader.peek(optional ? 2 : 1);
    if (name.kind !== "ident" && name.kind !== "escapedIdent") {
      reader.noViableAlternative(optional ? ".?" : ".", name);
      return this.#build.unspecified(dot.offset);
    }
    reader.skipTo(name);
    reader.next();
    const field = this.#fieldName(name);
    if (optional) {
      if (this.#options.optionalSyntax === false) {
        return this.#issue(dot.offset, "unsupported syntax '.?'");
      }
      const key = this.#build.literal(name.offset, field);
      return this.#build.call(dot.offset, "_?._", [operand, key]);
    }
    if (name.kind === "ident" && reader.is("(")) {
      const open = reader.next();
      const args = this.#arguments();
      return this.#memberCall(open.offset, field, { target: operand, args });
    }
    return this.#build.select(dot.offset, operand, field);
  }

  #fieldName(token: Token): string {
    if (token.kind !== "escapedIdent") return token.text;
    if (this.#options.escapedIdentifiers === false) {
      this.#issue(token.offset, "unsupported syntax: '`'");
    }
    return token.text.slice(1, -1);
  }

  #afterBracket(operand: Expr, bracket: Token): Expr {
    const optional = this.#reader.accept("?") !== undefined;
    const index = this.#nested(["]"]);
    this.#reader.expect("]", followsOperand);
    if (optional && this.#options.optionalSyntax === false) {
      return this.#issue(bracket.offset, "unsupported syntax '[?'");
    }
    return this.#call(bracket.offset, optional ? "_[?_]" : "_[_]", [operand, index]);
  }

  #arguments(): Expr[] {
    const args: Expr[] = [];
    if (!this.#reader.is(")")) {
      do args.push(this.#nested([")", ","]));
      while (this.#reader.accept(","));
    }
    this.#reader.expect(")", followsOperand);
    return args;
  }

  #primary(): Expr {
    const reader = this.#reader;
    const token = reader.peek();
    switch (token.kind) {
      case "int":
      case "float":
      case "uint":
        return this.#number();
      case "string":
      case "bytes":
        return this.#text(reader.next());
      case "ident":
        return this.#named();
      case "punctuation":
        return this.#punctuation(token);
      default:
        return this.#unexpectedOperand(token);
    }
  }

  #unexpectedOperand(token: Token): Expr {
    if (this.#reader.retryAfterUnexpected(operandStart)) return this.#unary();
    return this.#build.unspecified(token.offset);
  }

  #punctuation(token: Token): Expr {
    const reader = this.#reader;
    switch (token.text) {
      case "(": {
        reader.next();
        const inner = this.#nested([")"]);
        reader.expect(")", followsOperand);
        return inner;
      }
      case "[":
        return this.#list();
      case "{":
        return this.#map();
      case ".":
        return this.#named();
      case "true":
      case "false":
        reader.next();
        return this.#build.literal(token.offset, token.text === "true");
      case "null":
        reader.next();
        return this.#build.literal(token.offset, null);
      default:
        return this.#unexpectedOperand(token);
    }
  }

  #number(sign?: Token): Expr {
    const token = this.#reader.next();
    const offset = (sign ?? token).offset;
    const value = numberValue(token, sign === undefined ? "" : "-");
    if (value === undefined) {
      const type = { int: "int", uint: "uint" }[token.kind as string] ?? "double";
      return this.#issue(offset, `invalid ${type} literal`);
    }
    return this.#build.literal(offset, value);
  }

  #text(token: Token): Expr {
    const unicode = this.#options.unicodeInBytes !== false;
    const read =
      token.kind === "bytes" ? unescapeBytes(token.text, unicode) : unescapeString(token.text);
    if ("error" in read) return this.#issue(token.offset, read.error);
    return this.#build.literal(token.offset, read.value);
  }

  /** A name, a call, or a message `a.b{...}`, each perhaps after a dot. */
  #named(): Expr {
    const reader = this.#reader;
    const start = reader.peek();
    const dotted = reader.is(".");
    const token = reader.peek(dotted ? 1 : 0);
    if (token.kind !== "ident") {
      reader.noViableAlternative(".", token);
      return this.#build.unspecified(start.offset);
    }
    reader.skipTo(token);
    const message = this.#messageName(dotted);
    if (message !== undefined) return this.#struct(message);
    reader.next();
    const name = dotted ? `.${token.text}` : token.text;
    const isReserved = reserved.has(token.text);
    if (reader.is("(")) {
      const open = reader.next();
      const args = this.#arguments();
      if (isReserved) return this.#issue(start.offset, `reserved identifier: ${token.text}`);
      return this.#call(open.offset, name, args);
    }
    if (isReserved) return this.#issue(start.offset, `reserved identifier: ${token.text}`);
    return this.#build.ident(token.offset, name);
  }

  /** Reads `a.b` if an opening brace follows it. */
  #messageName(dotted: boolean): string | undefined {
    const reader = this.#reader;
    let ahead = 1;
    while (reader.is(".", ahead) && reader.peek(ahead + 1).kind === "ident") ahead += 2;
    if (!reader.is("{", ahead)) return undefined;
    let name = dotted ? "." : "";
    for (let i = 0; i < ahead; i++) name += reader.next().text;
    return name;
  }

  #list(): Expr {
    const reader = this.#reader;
    const { offset } = reader.next();
    const elements: Expr[] = [];
    const optionals = new Set<number>();
    const names = [...operandStart, "']'", "','", "'?'"];
    if (!this.#isOneOf(names)) this.#retryIn("]", listNames);
    while (!reader.is("]") && this.#isOneOf([...operandStart, "'?'"])) {
      if (this.#optionalMark()) optionals.add(elements.length);
      elements.push(this.#nested(["]", ","]));
      if (!reader.accept(",")) break;
    }
    if (elements.length === 0) reader.accept(",");
    reader.expect("]", followsOperand);
    return this.#build.list(offset, elements, optionals);
  }

  #map(): Expr {
    const reader = this.#reader;
    const { offset } = reader.next();
    const entries: MapEntry[] = [];
    if (!this.#isOneOf(mapNames)) this.#retryIn("}", mapNames);
    while (!reader.is("}") && this.#isOneOf([...operandStart, "'?'"])) {
      const entry = this.#mapEntry();
      if (entry === undefined) break;
      entries.push(entry);
      if (!reader.accept(",")) break;
    }
    if (entries.length === 0) reader.accept(",");
    reader.expect("}", followsOperand);
    return this.#build.map(offset, entries);
  }

  #mapEntry(): MapEntry | undefined {
    const optional = this.#optionalMark();
    const key = this.#nested(["}", ",", ":"]);
    const colon = this.#reader.followedBy(["}", ","], () =>
      this.#reader.expect(":", startsOperand),
    );
    if (colon === undefined) return undefined;
    const value = this.#nested(["}", ","]);
    return { id: this.#build.nextId(), offset: colon.offset, key, value, optional };
  }

  #struct(typeName: string): Expr {
    const reader = this.#reader;
    const { offset } = reader.next();
    const fields: StructField[] = [];
    if (!this.#isOneOf(fieldNames)) this.#retryIn("}", fieldNames);
    while (this.#isOneOf(["IDENTIFIER", "ESC_IDENTIFIER", "'?'"])) {
      const field = this.#structField();
      if (field === undefined) break;
      fields.push(field);
      if (!reader.accept(",")) break;
    }
    if (fields.length === 0) reader.accept(",");
    reader.expect("}", followsOperand);
    return this.#build.struct(offset, typeName, fields);
  }

  #structField(): StructField | undefined {
    const reader = this.#reader;
    return reader.followedBy(["}", ","], () => {
      const optional = this.#optionalMark();
      if (!this.#isOneOf(["IDENTIFIER", "ESC_IDENTIFIER"])) {
        const retry = reader.retryAfterUnexpected(["IDENTIFIER", "ESC_IDENTIFIER"]);
        if (!retry) return undefined;
      }
      const name = this.#fieldName(reader.next());
      const colon = reader.expect(":", startsOperand);
      if (colon === undefined) return undefined;
      const value = this.#expr();
      return { id: this.#build.nextId(), offset: colon.offset, name, value, optional };
    });
  }

  #optionalMark(): boolean {
    const mark = this.#reader.accept("?");
    if (mark !== undefined && this.#options.optionalSyntax === false) {
      this.#issue(mark.offset, "unsupported syntax '?'");
    }
    return mark !== undefined;
  }

  #isOneOf(names: readonly string[]): boolean {
    return names.includes(nameOf(this.#reader.peek()));
  }

  #retryIn(closer: string, names: readonly string[]): void {
    this.#reader.followedBy([closer, ","], () => this.#reader.retryAfterUnexpected(names));
  }

  #call(offset: number, name: string, args: readonly Expr[]): Expr {
    const expanded = this.#expand(offset, name, { args });
    return expanded ?? this.#build.call(offset, name, args);
  }

  #memberCall(offset: number, name: string, parts: { target: Expr; args: Expr[] }): Expr {
    return this.#expand(offset, name, parts) ?? this.#build.memberCall(offset, name, parts);
  }

  #expand(
    offset: number,
    name: string,
    { target, args }: { target?: Expr; args: readonly Expr[] },
  ): Expr | undefined {
    const member = target !== undefined;
    const macro =
      this.#macros.get(macroKey(name, args.length, member)) ??
      this.#macros.get(macroKey(name, "any", member));
    const expanded = macro?.expand({ build: this.#build, offset, target, args });
    if (expanded?.kind === "error") return this.#issue(expanded.offset, expanded.message);
    return expanded;
  }
}

interface Chain {
  readonly terms: readonly Expr[];
  readonly offsets: readonly number[];
  readonly low: number;
  readonly high: number;
}

const mapNames = [
  "'['",
  "'{'",
  "'}'",
  "'('",
  "'.'",
  "','",
  "'-'",
  "'!'",
  "'?'",
  ...operandStart.slice(6),
];
const listNames = [
  "'['",
  "']'",
  "'{'",
  "'('",
  "'.'",
  "','",
  "'-'",
  "'!'",
  "'?'",
  ...operandStart.slice(6),
];
const fieldNames = ["'}'", "','", "'?'", "IDENTIFIER", "ESC_IDENTIFIER"];

const operandFollowers: ReadonlySet<string> = new Set(
  "<EOF> '?' '||' '&&' '<' '<=' '>=' '>' '==' '!=' 'in' '*' '/' '%' '+' '-' '.' '['".split(" "),
);

function followsOperand(token: Token): boolean {
  return operandFollowers.has(nameOf(token));
}

function macroKey(name: string, argCount: number | "any", member: boolean): string {
  return `${name}:${argCount}:${member}`;
}

function numberValue(token: Token, sign: "" | "-"): CelValue | undefined {
  if (token.kind === "float") {
    const value = Number(sign + token.text);
    return Number.isFinite(value) ? value : undefined;
  }
  if (token.kind === "uint") {
    const value = BigInt(token.text.slice(0, -1));
    return value <= uint64Max ? new CelUint(value) : undefined;
  }
  const magnitude = BigInt(token.text);
  const value = sign === "-" ? -magnitude : magnitude;
  return value >= int64Min && value <= int64Max ? value : undefined;
}

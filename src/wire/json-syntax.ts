/**
 * Go's words for a JSON syntax error. Only for text that native parsing refused, or that nests
 * too deep for it. Iterative, so that depth costs no stack. Source: Go's encoding/json/scanner.go.
 */

/** Deepest nesting that is read. Source: sigs.k8s.io/json maxNestingDepth. */
export const jsonDepthMax = 10_000;

export class JsonError extends Error {
  override readonly name = "JsonError";
}

/**
 * Throws `JsonError` at the first fault. `latin1` has one character per byte of the document:
 * Go looks at bytes too, and shows a byte beyond ASCII as the character of that number.
 */
export function checkJsonSyntax(latin1: string): void {
  new SyntaxChecker(latin1).run();
}

class SyntaxChecker {
  readonly #text: string;
  /** The closing brackets that are due, innermost last. */
  readonly #closers: ("}" | "]")[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    this.#value();
    while (this.#closers.length > 0) {
      if (this.#closers.at(-1) === "}") this.#member();
      else this.#element();
    }
    this.#space();
    if (this.#at < this.#text.length) this.#fail("after top-level value");
  }

  /** What follows a value in an object. */
  #member(): void {
    this.#space();
    const char = this.#peek();
    if (char === "}") return this.#close();
    if (char !== ",") this.#fail("after object key:value pair");
    this.#at++;
    this.#key();
    return this.#value();
  }

  #element(): void {
    this.#space();
    const char = this.#peek();
    if (char === "]") return this.#close();
    if (char !== ",") this.#fail("after array element");
    this.#at++;
    return this.#value();
  }

  #close(): void {
    this.#at++;
    this.#closers.pop();
  }

  #key(): void {
    this.#space();
    if (this.#peek() !== '"') this.#fail("looking for beginning of object key string");
    this.#string();
    this.#space();
    if (this.#peek() !== ":") this.#fail("after object key");
    this.#at++;
  }

  #value(): void {
    for (;;) {
      this.#space();
      const char = this.#peek();
      if (char !== "{" && char !== "[") return this.#scalar(char);
      if (this.#closers.length >= jsonDepthMax) this.#fail("exceeded max depth");
      this.#at++;
      this.#closers.push(char === "{" ? "}" : "]");
      this.#space();
      if (this.#peek() === this.#closers.at(-1)) return this.#close();
      if (char === "{") this.#key();
    }
  }

  #scalar(char: string): void {
    if (char === '"') this.#string();
    else if (char === "t") this.#literal("true");
    else if (char === "f") this.#literal("false");
    else if (char === "n") this.#literal("null");
    else if (char === "-" || isDigit(char)) this.#number();
    else this.#fail("looking for beginning of value");
  }

  #literal(word: string): void {
    for (const expected of word) {
      if (this.#peek() !== expected) this.#fail(`in literal ${word} (expecting '${expected}')`);
      this.#at++;
    }
  }

  #number(): void {
    if (this.#peek() === "-") this.#at++;
    if (this.#peek() === "0") this.#at++;
    else this.#digits("in numeric literal");
    if (this.#peek() === ".") {
      this.#at++;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#peek() === "e" || this.#peek() === "E") {
      this.#at++;
      if (this.#peek() === "+" || this.#peek() === "-") this.#at++;
      this.#digits("in exponent of numeric literal");
    }
  }

  #digits(context: string): void {
    if (!isDigit(this.#peek())) this.#fail(context);
    while (isDigit(this.#peek())) this.#at++;
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const char = this.#peek();
      if (char < " ") this.#fail("in string literal");
      this.#at++;
      if (char === '"') return;
      if (char === "\\") this.#escape();
    }
  }

  #escape(): void {
    const char = this.#peek();
    if (char === "" || !'"\\/bfnrtu'.includes(char)) this.#fail("in string escape code");
    this.#at++;
    if (char !== "u") return;
    for (let i = 0; i < 4; i++) {
      if (!/^[0-9a-fA-F]$/.test(this.#peek())) this.#fail("in \\u hexadecimal character escape");
      this.#at++;
    }
  }

  #space(): void {
    while (isSpace(this.#peek())) this.#at++;
  }

  /** Empty at the end. */
  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #fail(context: string): never {
    if (this.#at >= this.#text.length) throw new JsonError("unexpected end of JSON input");
    throw new JsonError(`invalid character ${quoteChar(this.#peek())} ${context}`);
  }
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

function isSpace(char: string): boolean {
  return char === " " || char === "\n" || char === "\t" || char === "\r";
}

const quotedChars = new Map([
  ["'", "\\'"],
  ["\\", "\\\\"],
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

function quoteChar(char: string): string {
  const code = char.charCodeAt(0);
  let text = quotedChars.get(char) ?? char;
  if (text === char && (code < 0x20 || code === 0x7f)) text = `\\x${hex(code, 2)}`;
  if ((code > 0x7f && code <= 0xa0) || code === 0xad) text = `\\u${hex(code, 4)}`;
  return `'${text}'`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}

/**
 * A JSON scanner for what native parsing cannot tell: Go's words for a syntax error, nesting that
 * is too deep, and keys that stand twice. Iterative, so that depth costs no stack.
 * Source of the texts: Go's encoding/json/scanner.go.
 */

/** Deepest nesting that is read. Source: sigs.k8s.io/json maxNestingDepth. */
export const jsonDepthMax = 10_000;

export class JsonError extends Error {
  override readonly name = "JsonError";
}

/** A container that is open: its keys so far, or the index of its current item. */
interface Level {
  readonly kind: "object" | "array";
  readonly keys: Set<string>;
  key: string;
  index: number;
}

export interface JsonScan {
  /** Paths of repeated keys, `data.a`, `items[0].x`, in order of appearance. */
  readonly duplicates: readonly string[];
}

/** Walks the whole text. Throws `JsonError` with Go's text at the first fault. */
export function scanJson(text: string): JsonScan {
  return new Scanner(text).run();
}

class Scanner {
  readonly #text: string;
  readonly #levels: Level[] = [];
  readonly #duplicates: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): JsonScan {
    this.#value("looking for beginning of value");
    while (this.#levels.length > 0) this.#next();
    this.#space();
    if (this.#at < this.#text.length) this.#fail("after top-level value");
    return { duplicates: this.#duplicates };
  }

  /** What follows a value inside a container, or the first thing in it. */
  #next(): void {
    const level = this.#levels.at(-1) as Level;
    this.#space();
    const char = this.#peek();
    if (level.kind === "array") {
      if (char === "]") return this.#close();
      if (level.index >= 0) {
        if (char !== ",") this.#fail("after array element");
        this.#at++;
      }
      level.index++;
      this.#value("looking for beginning of value");
      return;
    }
    if (char === "}") return this.#close();
    if (level.index >= 0) {
      if (char !== ",") this.#fail("after object key:value pair");
      this.#at++;
      this.#space();
    }
    level.index++;
    this.#key(level);
    this.#value("looking for beginning of value");
  }

  #close(): void {
    this.#at++;
    this.#levels.pop();
  }

  #key(level: Level): void {
    if (this.#peek() !== '"') this.#fail("looking for beginning of object key string");
    level.key = this.#string();
    if (level.keys.has(level.key)) this.#duplicates.push(this.#path());
    level.keys.add(level.key);
    this.#space();
    if (this.#peek() !== ":") this.#fail("after object key");
    this.#at++;
  }

  #path(): string {
    let path = "";
    for (const level of this.#levels) {
      if (level.kind === "array") path += `[${level.index}]`;
      else path += path === "" ? level.key : `.${level.key}`;
    }
    return path;
  }

  #value(context: string): void {
    this.#space();
    const char = this.#peek();
    if (char === "{" || char === "[") {
      if (this.#levels.length >= jsonDepthMax) this.#fail("exceeded max depth", true);
      this.#at++;
      const kind = char === "{" ? "object" : "array";
      this.#levels.push({ kind, keys: new Set(), key: "", index: -1 });
    } else if (char === '"') this.#string();
    else if (char === "t") this.#literal("true");
    else if (char === "f") this.#literal("false");
    else if (char === "n") this.#literal("null");
    else if (char === "-" || (char >= "0" && char <= "9")) this.#number();
    else this.#fail(context);
  }

  #literal(word: string): void {
    for (const [i, expected] of [...word].entries()) {
      if (this.#peek() !== expected) {
        if (i === 0) this.#fail("looking for beginning of value");
        this.#fail(`in literal ${word} (expecting '${expected}')`);
      }
      this.#at++;
    }
  }

  #number(): void {
    if (this.#peek() === "-") this.#at++;
    if (this.#peek() === "0") this.#at++;
    else if (!this.#digits()) this.#fail("in numeric literal");
    if (this.#peek() === ".") {
      this.#at++;
      if (!this.#digits()) this.#fail("after decimal point in numeric literal");
    }
    if (this.#peek() === "e" || this.#peek() === "E") {
      this.#at++;
      if (this.#peek() === "+" || this.#peek() === "-") this.#at++;
      if (!this.#digits()) this.#fail("in exponent of numeric literal");
    }
  }

  #digits(): boolean {
    const start = this.#at;
    while (this.#peek() >= "0" && this.#peek() <= "9") this.#at++;
    return this.#at > start;
  }

  /** The decoded text of the string that begins here. */
  #string(): string {
    const start = this.#at++;
    for (;;) {
      const char = this.#peek();
      if (char === '"') break;
      if (char === "" || char < " ") this.#fail("in string literal");
      this.#at++;
      if (char !== "\\") continue;
      const escape = this.#peek();
      if (!'"\\/bfnrtu'.includes(escape) || escape === "") this.#fail("in string escape code");
      this.#at++;
      if (escape !== "u") continue;
      for (let i = 0; i < 4; i++) {
        if (!/[0-9a-fA-F]/.test(this.#peek())) this.#fail("in \\u hexadecimal character escape");
        this.#at++;
      }
    }
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #space(): void {
    while (" \t\r\n".includes(this.#peek()) && this.#at < this.#text.length) this.#at++;
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #fail(context: string, always = false): never {
    if (this.#at >= this.#text.length && !always) throw new JsonError("unexpected end of JSON input");
    const code = this.#text.codePointAt(this.#at) ?? 0;
    throw new JsonError(`invalid character ${quoteChar(String.fromCodePoint(code))} ${context}`);
  }
}

/** Go quotes the byte as a rune: `'\''` and `'"'` are special, control characters escaped. */
function quoteChar(char: string): string {
  if (char === "'") return `'\\''`;
  if (char === '"') return `'"'`;
  const escaped = JSON.stringify(char).slice(1, -1);
  // Go looks at single bytes: beyond ASCII it shows the first byte as a Latin-1 character.
  const code = char.codePointAt(0) ?? 0;
  if (code > 0x7f) return `'${String.fromCharCode(Buffer.from(char, "utf8")[0] ?? 0)}'`;
  return `'${code < 0x20 && escaped.startsWith("\\u") ? `\\x${code.toString(16).padStart(2, "0")}` : escaped}'`;
}

import { displayText, type Token } from "./lexer.ts";
import type { Issue } from "./source.ts";

/** Ends parsing early; what was reported until then stands. */
export class ParseAbort {}

/** What a token can be, as ANTLR names it in messages. */
export const operandStart: readonly string[] = [
  "'['",
  "'{'",
  "'('",
  "'.'",
  "'-'",
  "'!'",
  "'true'",
  "'false'",
  "'null'",
  "NUM_FLOAT",
  "NUM_INT",
  "NUM_UINT",
  "STRING",
  "BYTES",
  "IDENTIFIER",
];

/** Names that follow any operand; error recovery never skips these. */
const operators = [
  "*",
  "/",
  "%",
  "+",
  "-",
  "<",
  "<=",
  ">=",
  ">",
  "==",
  "!=",
  "in",
  "&&",
  "||",
  "?",
];

export interface RecoveryLimits {
  /** Times that the parser resumes after an error. */
  readonly recoveryAttemptsMax: number;
  /** Tokens skipped while resuming. */
  readonly recoverySkipMax: number;
}

/**
 * The token stream together with ANTLR's way to report and survive errors: delete one token, insert
 * one, or skip to something that may follow.
 */
export class TokenReader {
  readonly issues: Issue[];
  readonly #tokens: readonly Token[];
  readonly #limits: RecoveryLimits;
  readonly #followers: string[][] = [];
  #at = 0;
  /** While set, further errors are consequences of one that was reported. */
  #recovering = false;
  #lastErrorAt = -1;
  #attempts = 0;
  #skipped = 0;

  constructor(
    lexed: { tokens: readonly Token[]; issues: readonly Issue[] },
    limits: RecoveryLimits,
  ) {
    this.#tokens = lexed.tokens;
    this.issues = [...lexed.issues];
    this.#limits = limits;
  }

  peek(ahead = 0): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#at + ahead, last)] ?? { kind: "eof", text: "", offset: 0 };
  }

  /** Whether the next token is this punctuation or keyword. */
  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "punctuation" && token.text === text;
  }

  next(): Token {
    const token = this.peek();
    if (this.#at < this.#tokens.length - 1) this.#at++;
    this.#recovering = false;
    return token;
  }

  /** Reads tokens up to `token`, which was seen ahead. */
  skipTo(token: Token): void {
    while (this.peek() !== token) this.next();
  }

  accept(text: string): Token | undefined {
    return this.is(text) ? this.next() : undefined;
  }

  report(message: string, token = this.peek()): void {
    if (this.#recovering) return;
    this.#recovering = true;
    this.issues.push({ offset: token.offset, message: `Syntax error: ${message}` });
  }

  /** Runs `parse` knowing that `texts` may follow what it reads. */
  followedBy<T>(texts: string[], parse: () => T): T {
    this.#followers.push(texts);
    const result = parse();
    this.#followers.pop();
    return result;
  }

  /**
   * Reads one token that must be `text`. `then` says what may follow it, so that a forgotten token
   * can be assumed. Returns undefined when it could not be made up for.
   */
  expect(text: string, then: (token: Token) => boolean): Token | undefined {
    const accepted = this.accept(text);
    if (accepted !== undefined) return accepted;
    this.#countAttempt();
    const token = this.peek();
    if (this.is(text, 1)) {
      this.report(`extraneous input ${quote(token)} expecting '${text}'`);
      this.next();
      return this.next();
    }
    if (then(token)) {
      this.report(`missing '${text}' at ${quote(token)}`);
      return { kind: "punctuation", text, offset: token.offset };
    }
    this.report(`mismatched input ${quote(token)} expecting '${text}'`);
    this.recover();
    return undefined;
  }

  expectEnd(): void {
    const token = this.peek();
    if (token.kind === "eof" || this.#recovering) return;
    this.#countAttempt();
    const verb = this.peek(1).kind === "eof" ? "extraneous" : "mismatched";
    this.report(`${verb} input ${quote(token)} expecting <EOF>`);
  }

  /**
   * Handles a token that none of `names` describes: skips it if the one behind fits (returns true,
   * try again), else reports and resumes later (returns false).
   */
  retryAfterUnexpected(names: readonly string[]): boolean {
    if (this.#recovering) {
      this.recover();
      return false;
    }
    const token = this.peek();
    const expecting = names.length === 1 ? names[0] : `{${names.join(", ")}}`;
    if (names.includes(nameOf(this.peek(1)))) {
      this.report(`extraneous input ${quote(token)} expecting ${expecting}`);
      this.next();
      return true;
    }
    this.report(`mismatched input ${quote(token)} expecting ${expecting}`);
    this.recover();
    return false;
  }

  /** Reports that no rule fits from `start` on; `token` is where it showed. */
  noViableAlternative(start: string, token: Token): void {
    const shown = token.kind === "eof" ? start : start + displayText(token.text);
    const reserved = /^\.(true|false|null)$/.exec(shown);
    const message =
      reserved === null
        ? `no viable alternative at input '${shown}'`
        : `mismatched input '${reserved[1]}' expecting IDENTIFIER`;
    this.report(message, token);
    if (this.is(".")) this.#skip();
    this.recover();
  }

  /** Skips to a token that may follow in some open rule. */
  recover(): void {
    this.#countAttempt();
    if (this.#lastErrorAt === this.#at) this.#skip();
    this.#lastErrorAt = this.#at;
    while (!this.#mayFollow()) this.#skip();
  }

  abort(message: string): never {
    this.issues.push({ offset: -1, message });
    throw new ParseAbort();
  }

  #mayFollow(): boolean {
    const token = this.peek();
    if (token.kind === "eof") return true;
    if (token.kind !== "punctuation") return false;
    return (
      operators.includes(token.text) ||
      this.#followers.some((texts) => texts.includes(token.text)) ||
      token.text === "." ||
      token.text === "["
    );
  }

  #skip(): void {
    if (this.#at >= this.#tokens.length - 1) return;
    if (this.#skipped++ >= this.#limits.recoverySkipMax) {
      this.abort(`error recovery token lookahead limit exceeded: ${this.#limits.recoverySkipMax}`);
    }
    this.#at++;
  }

  #countAttempt(): void {
    if (this.#attempts++ < this.#limits.recoveryAttemptsMax) return;
    this.#recovering = false;
    this.report(`error recovery attempt limit exceeded: ${this.#limits.recoveryAttemptsMax}`);
    throw new ParseAbort();
  }
}

function quote(token: Token): string {
  return `'${displayText(token.text)}'`;
}

/** A token as `operandStart` and other expectations name it. */
export function nameOf(token: Token): string {
  switch (token.kind) {
    case "ident":
      return "IDENTIFIER";
    case "escapedIdent":
      return "ESC_IDENTIFIER";
    case "int":
      return "NUM_INT";
    case "uint":
      return "NUM_UINT";
    case "float":
      return "NUM_FLOAT";
    case "string":
      return "STRING";
    case "bytes":
      return "BYTES";
    case "eof":
      return "<EOF>";
    case "punctuation":
      return `'${token.text}'`;
  }
}

const operandNames: ReadonlySet<string> = new Set(operandStart);

export function startsOperand(token: Token): boolean {
  return operandNames.has(nameOf(token));
}

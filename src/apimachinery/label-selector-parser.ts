import { goQuote } from "./field-error.ts";
import {
  checkedRequirement,
  type Operator,
  type Requirement,
  SelectorError,
} from "./label-requirement.ts";
import { compareBytes } from "./maps.ts";
import { checkQualifiedName } from "./validation/names.ts";

/**
 * The text grammar of label selectors. The keywords `in` and `notin` are ordinary words wherever a
 * key or a value may stand.
 * Source: k8s.io/apimachinery/pkg/labels/selector.go.
 */
interface Token {
  readonly type: "end" | "word" | "symbol";
  readonly text: string;
}

interface TokenReader {
  readonly peek: () => Token;
  readonly next: () => Token;
}

const end: Token = { type: "end", text: "" };
const binaryOperators = "in, notin, =, ==, !=, gt, lt";
const operatorOfToken: ReadonlyMap<string, Operator> = new Map([
  ["in", "in"],
  ["notin", "notin"],
  ["=", "="],
  ["==", "=="],
  ["!=", "!="],
  [">", "gt"],
  ["<", "lt"],
]);

/** Requirements in the order of the text. Throws `SelectorError` with upstream's message. */
export function parseRequirements(text: string): Requirement[] {
  const tokens = readTokens(scan(text));
  const requirements: Requirement[] = [];
  while (tokens.peek().type !== "end") {
    if (!startsRequirement(tokens.peek())) {
      throw unexpected(tokens.peek(), "!, identifier, or 'end of string'");
    }
    requirements.push(parseRequirement(tokens));
    const after = tokens.next();
    if (after.type === "end") break;
    if (!isSymbol(after, ",")) throw unexpected(after, "',' or 'end of string'");
    if (!startsRequirement(tokens.peek())) throw unexpected(tokens.peek(), "identifier after ','");
  }
  return requirements;
}

function startsRequirement(token: Token): boolean {
  return token.type === "word" || isSymbol(token, "!");
}

function parseRequirement(tokens: TokenReader): Requirement {
  try {
    const negated = isSymbol(tokens.peek(), "!");
    if (negated) tokens.next();
    const key = parseKey(tokens.next());
    if (negated) return checkedRequirement({ key, operator: "!", values: [] });
    if (endsOperand(tokens.peek())) {
      return checkedRequirement({ key, operator: "exists", values: [] });
    }
    const operator = parseOperator(tokens.next());
    const several = operator === "in" || operator === "notin";
    const values = several ? parseValues(tokens) : [parseExactValue(tokens)];
    return checkedRequirement({ key, operator, values });
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw new SelectorError(`unable to parse requirement: ${error.message}`);
  }
}

function parseKey(token: Token): string {
  if (token.type !== "word") throw unexpected(token, "identifier");
  const errors = checkQualifiedName(token.text);
  if (errors.length === 0) return token.text;
  // Upstream has no field path for this finding, and prints that.
  throw new SelectorError(`<nil>: Invalid value: ${goQuote(token.text)}: ${errors.join("; ")}`);
}

function parseOperator(token: Token): Operator {
  const operator = operatorOfToken.get(token.text);
  if (operator === undefined) throw unexpected(token, binaryOperators);
  return operator;
}

/** The values between parentheses, sorted, each once. A gap between commas is the empty value. */
function parseValues(tokens: TokenReader): string[] {
  const open = tokens.next();
  if (!isSymbol(open, "(")) throw new SelectorError(`found '${open.text}' expected: '('`);
  const first = tokens.peek();
  if (isSymbol(first, ")")) {
    tokens.next();
    return [""];
  }
  if (first.type !== "word" && !isSymbol(first, ",")) {
    throw unexpected(first, "',', ')' or identifier");
  }
  const values = new Set<string>();
  do parseListStep(tokens, values);
  while (!isSymbol(tokens.peek(), ")"));
  tokens.next();
  return [...values].toSorted(compareBytes);
}

function parseListStep(tokens: TokenReader, values: Set<string>): void {
  const token = tokens.next();
  const after = tokens.peek();
  if (token.type === "word") {
    values.add(token.text);
    if (!isSymbol(after, ",") && !isSymbol(after, ")")) throw unexpected(after, "',' or ')'");
  } else if (isSymbol(token, ",")) {
    const gap = values.size === 0 || isSymbol(after, ",") || isSymbol(after, ")");
    if (gap) values.add("");
  } else throw unexpected(token, "',', or identifier");
}

function parseExactValue(tokens: TokenReader): string {
  if (endsOperand(tokens.peek())) return "";
  const token = tokens.next();
  if (token.type !== "word") throw unexpected(token, "identifier");
  return token.text;
}

function endsOperand(token: Token): boolean {
  return token.type === "end" || isSymbol(token, ",");
}

function isSymbol(token: Token, text: string): boolean {
  return token.type === "symbol" && token.text === text;
}

function unexpected(token: Token, wanted: string): SelectorError {
  return new SelectorError(`found '${token.text}', expected: ${wanted}`);
}

const tokenPattern = /[ \t\r\n]*(?:(==|!=|[=!(),><])|([^ \t\r\n=!(),><\0]+)\0?)/y;

/** A NUL byte ends the text, as it does upstream. */
function scan(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  for (;;) {
    const match = tokenPattern.exec(text);
    if (match === null) return tokens;
    if (match[1] !== undefined) tokens.push({ type: "symbol", text: match[1] });
    else tokens.push({ type: "word", text: match[2] ?? "" });
  }
}

function readTokens(tokens: readonly Token[]): TokenReader {
  let position = 0;
  return {
    peek: () => tokens[position] ?? end,
    next: () => tokens[position++] ?? end,
  };
}

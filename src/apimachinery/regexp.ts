import { RE2JS, RE2JSException } from "re2js";

/** A regular expression of Go's syntax (RE2); matching takes time linear in the text. */
export interface Regexp {
  readonly pattern: string;
  /** Whether it matches anywhere in the text. */
  readonly test: (text: string) => boolean;
  /** The leftmost match, or undefined. */
  readonly find: (text: string) => string | undefined;
  /** Matches from the left that do not overlap, at most `countMax` of them. */
  readonly findAll: (text: string, countMax?: number) => string[];
}

/**
 * The pattern is none of RE2; the message is Go's, e.g. "error parsing regexp: missing closing ):
 * `(`".
 */
export class RegexpError extends Error {
  override readonly name = "RegexpError";
}

/** Compiled patterns that are kept; the one that was not used for the longest time goes. */
export const regexpsMax = 512;
/** Their weights together; a unit takes about a hundred bytes. */
const weightsMax = 1_000_000;
/** Heaviest pattern that is accepted. Go's own limit is about three times this. */
const weightMax = 1_000_000;

interface Entry {
  readonly regexp: Regexp;
  readonly weight: number;
}

const compiled = new Map<string, Entry>();
let weights = 0;

/** Compiles a pattern, or takes it from the cache. Throws `RegexpError`. */
export function compileRegexp(pattern: string): Regexp {
  const known = compiled.get(pattern);
  if (known !== undefined) {
    // A map keeps insertion order, so this makes it the youngest.
    compiled.delete(pattern);
    compiled.set(pattern, known);
    return known.regexp;
  }
  const weight = regexpWeight(pattern);
  if (weight > weightMax) throw tooLarge(pattern);
  const regexp = wrap(pattern, parse(pattern));
  makeRoom(weight);
  compiled.set(pattern, { regexp, weight });
  weights += weight;
  return regexp;
}

function tooLarge(pattern: string): RegexpError {
  return new RegexpError(`error parsing regexp: expression too large: \`${pattern}\``);
}

function makeRoom(weight: number): void {
  for (const [pattern, oldest] of compiled) {
    if (compiled.size < regexpsMax && weights + weight <= weightsMax) return;
    compiled.delete(pattern);
    weights -= oldest.weight;
  }
}

/** What is never closed ends with the text, so that it is read once only. */
const pieces =
  /(?<cls>\\[pP](?:\{[^}]*(?:\}|$)|[^]))|\\x\{[^}]*(?:\}|$)|\\[^]|\[\^?\]?[^\]]*(?:\]|$)|\{(?<least>\d+)(?:,(?<most>\d*))?\}|[^]/g;
const unicodeClassWeight = 20;

/**
 * About how many steps a pattern has once its counted repetitions are written out, which is what
 * compiling it takes time and memory for.
 */
export function regexpWeight(pattern: string): number {
  const outer: number[] = [];
  let total = 0;
  let last = 0;
  for (const { 0: piece, groups = {} } of pattern.matchAll(pieces)) {
    const { cls, least, most } = groups;
    if (least !== undefined) {
      const times = Math.max(1, Number(least), Number(most ?? 0));
      total += last * (times - 1);
      last *= times;
    } else if (piece === "(") {
      outer.push(total);
      total = 0;
      last = 0;
    } else if (piece === ")") {
      last = total + 2;
      total = (outer.pop() ?? 0) + last;
    } else {
      last = cls === undefined ? 1 : unicodeClassWeight;
      total += last;
    }
  }
  return outer.reduce((sum, part) => sum + part, total);
}

/** The error in a pattern as Go would print it, or undefined if there is none. */
export function regexpError(pattern: string): string | undefined {
  try {
    compileRegexp(pattern);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof RegexpError) return thrown.message;
    throw thrown;
  }
}

function parse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (thrown) {
    if (!(thrown instanceof RE2JSException)) throw thrown;
    if (thrown.message.includes("expression too large")) throw tooLarge(pattern);
    // Go always names the part at fault, even where it is empty.
    const message = thrown.message.endsWith("`") ? thrown.message : `${thrown.message}: \`\``;
    throw new RegexpError(message, { cause: thrown });
  }
}

function wrap(pattern: string, engine: RE2JS): Regexp {
  return {
    pattern,
    test: (text) => engine.test(text),
    find(text) {
      const matcher = engine.matcher(text);
      return matcher.find() ? (matcher.group() ?? "") : undefined;
    },
    findAll(text, countMax = Infinity) {
      const found: string[] = [];
      const matcher = engine.matcher(text);
      let previousEnd = -1;
      while (found.length < countMax && matcher.find()) {
        // Go skips an empty match that touches the one before it.
        const touches = matcher.end() === matcher.start() && matcher.start() === previousEnd;
        previousEnd = matcher.end();
        if (!touches) found.push(matcher.group() ?? "");
      }
      return found;
    },
  };
}

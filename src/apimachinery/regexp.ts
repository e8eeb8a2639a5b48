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

const compiled = new Map<string, Regexp>();

/** Compiles a pattern, or takes it from the cache. Throws `RegexpError`. */
export function compileRegexp(pattern: string): Regexp {
  const known = compiled.get(pattern);
  if (known !== undefined) {
    // A map keeps insertion order, so this makes it the youngest.
    compiled.delete(pattern);
    compiled.set(pattern, known);
    return known;
  }
  const made = wrap(pattern, parse(pattern));
  if (compiled.size >= regexpsMax) {
    const oldest = compiled.keys().next();
    if (oldest.done !== true) compiled.delete(oldest.value);
  }
  compiled.set(pattern, made);
  return made;
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

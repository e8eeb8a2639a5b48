/**
 * A second JSON parser for what the native one cannot give: exact integers, repeated keys, and
 * well-formed strings. Iterative, so that depth costs no stack.
 */
import { JsonError } from "./json-syntax.ts";
import { JsonNumber, RepeatedMember } from "./json-token.ts";

export interface ReadJson {
  readonly value: unknown;
  /** Paths of keys that stand twice, each once: `metadata.labels.x`, `items[0].name`. */
  readonly duplicates: readonly string[];
}

export interface ReadJsonOptions {
  /** Integers beyond int64: exact, or floats as for Go where it knows no type. */
  readonly integers: "exact" | "int64";
  /** Numbers with fraction or exponent: as `JsonNumber` or as numbers. */
  readonly fractions: "source" | "number";
  /** Members that stand twice: as `RepeatedMember`, or the last of them. */
  readonly repeated: "all" | "last";
}

/** For a decoder that knows the type. */
export const typedJson: ReadJsonOptions = { integers: "exact", fractions: "source", repeated: "all" };
/** As Go reads what it knows no type of. */
export const untypedJson: ReadJsonOptions = { integers: "int64", fractions: "number", repeated: "last" };

/** Reads text that is known to be valid JSON. Integers beyond 2^53 are bigints. */
export function readJson(text: string, options: ReadJsonOptions): ReadJson {
  return new JsonReader(text, options).run();
}

type JsonObject = Record<string, unknown>;

interface Level {
  readonly container: JsonObject | unknown[];
  /** Undefined for arrays. */
  readonly keys: Set<string> | undefined;
  key: string;
}

/** Most paths that are reported. Source: sigs.k8s.io/json. */
const duplicatesMax = 100;
const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

class JsonReader {
  readonly #text: string;
  readonly #options: ReadJsonOptions;
  readonly #levels: Level[] = [];
  readonly #duplicates = new Set<string>();
  readonly #number = /-?\d+(\.\d+)?([eE][-+]?\d+)?/y;
  #at = 0;

  constructor(text: string, options: ReadJsonOptions) {
    this.#text = text;
    this.#options = options;
  }

  run(): ReadJson {
    let result: unknown;
    for (;;) {
      const value = this.#value();
      if (value !== opened) {
        const level = this.#levels.at(-1);
        if (level === undefined) result = value;
        else this.#put(level, value);
      }
      // Close what ends here; the outermost container is the result.
      for (;;) {
        const level = this.#levels.at(-1);
        if (level === undefined) return { value: result, duplicates: [...this.#duplicates] };
        const char = this.#skipSpace();
        if (char === code.comma) this.#at++;
        else if (char === code.closeBrace || char === code.closeBracket) {
          this.#at++;
          this.#levels.pop();
          if (this.#levels.length === 0) result = level.container;
          continue;
        }
        if (level.keys !== undefined) this.#readKey(level, level.keys);
        break;
      }
    }
  }

  #put(level: Level, value: unknown): void {
    const { container, key } = level;
    if (Array.isArray(container)) container.push(value);
    else if (this.#options.repeated === "all" && Object.hasOwn(container, key)) {
      const known = container[key];
      const earlier = known instanceof RepeatedMember ? known.values : [known];
      setKey(container, key, new RepeatedMember([...earlier, value]));
    } else setKey(container, key, value);
  }

  #readKey(level: Level, keys: Set<string>): void {
    this.#skipSpace();
    level.key = this.#string();
    if (keys.has(level.key) && this.#duplicates.size < duplicatesMax) {
      this.#duplicates.add(this.#path());
    }
    keys.add(level.key);
    this.#skipSpace();
    this.#at++;
  }

  #path(): string {
    let path = "";
    for (const { container, key } of this.#levels) {
      if (Array.isArray(container)) path += `[${container.length - 1}]`;
      else path += path === "" ? key : `.${key}`;
    }
    return path;
  }

  #value(): unknown {
    const char = this.#skipSpace();
    if (char === code.openBrace) return this.#open({});
    if (char === code.openBracket) return this.#open([]);
    if (char === code.quote) return this.#string();
    if (char === code.t) return this.#word(4, true);
    if (char === code.f) return this.#word(5, false);
    if (char === code.n) return this.#word(4, null);
    return this.#readNumber();
  }

  #word<T>(length: number, value: T): T {
    this.#at += length;
    return value;
  }

  #open(container: JsonObject | unknown[]): typeof opened {
    this.#at++;
    const parent = this.#levels.at(-1);
    if (parent !== undefined) this.#put(parent, container);
    const keys = Array.isArray(container) ? undefined : new Set<string>();
    this.#levels.push({ container, keys, key: "" });
    return opened;
  }

  #string(): string {
    const start = this.#at;
    const end = stringEnd(this.#text, start);
    this.#at = end + 1;
    const raw = this.#text.slice(start + 1, end);
    if (!raw.includes("\\")) return raw;
    return (JSON.parse(`"${raw}"`) as string).toWellFormed();
  }

  #readNumber(): number | bigint | JsonNumber {
    this.#number.lastIndex = this.#at;
    const [source = "", fraction, exponent] = this.#number.exec(this.#text) ?? [];
    this.#at += source.length;
    const isFraction = fraction !== undefined || exponent !== undefined;
    if (isFraction && this.#options.fractions === "source") return new JsonNumber(source);
    const value = Number(source);
    if (!Number.isFinite(value) && (isFraction || this.#options.integers === "int64")) {
      throw new JsonError(`json: cannot unmarshal number ${source} into Go value of type float64`);
    }
    if (isFraction) return value;
    if (Number.isSafeInteger(value)) return value;
    const exact = BigInt(source);
    // Where the type is known, its decoder judges the range; elsewhere Go falls back to a float.
    return this.#options.integers === "exact" || (exact >= int64Min && exact <= int64Max) ? exact : value;
  }

  #skipSpace(): number {
    for (;;) {
      const char = this.#text.charCodeAt(this.#at);
      if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return char;
      this.#at++;
    }
  }
}

const opened = Symbol("opened");

const code = {
  quote: 0x22,
  comma: 0x2c,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

function setKey(object: JsonObject, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else {
    const property = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(object, key, property);
  }
}

/** Where the string that begins at `start` ends: the index of its closing quote. */
export function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return (backslashes & 1) === 1;
}

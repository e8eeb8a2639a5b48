/**
 * A second JSON parser for what the native one cannot give: exact integers, repeated keys, and
 * well-formed strings. Iterative, so that depth costs no stack.
 */
import { JsonError } from "./json-syntax.ts";

export interface ReadJson {
  readonly value: unknown;
  /** Paths of keys that stand twice, each once: `metadata.labels.x`, `items[0].name`. */
  readonly duplicates: readonly string[];
}

export interface ReadJsonOptions {
  /**
   * What becomes of two values under one key when both are objects: Go decodes the second into the
   * first ("merge") where it knows the type, and else forgets the first ("last").
   */
  readonly duplicates: "merge" | "last";
}

/** Reads text that is known to be valid JSON. Integers beyond 2^53 within int64 are bigints. */
export function readJson(text: string, options: ReadJsonOptions): ReadJson {
  return new JsonReader(text, options.duplicates === "merge").run();
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
  readonly #merge: boolean;
  readonly #levels: Level[] = [];
  readonly #duplicates = new Set<string>();
  readonly #number = /-?\d+(\.\d+)?([eE][-+]?\d+)?/y;
  #at = 0;

  constructor(text: string, merge: boolean) {
    this.#text = text;
    this.#merge = merge;
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
    if (Array.isArray(level.container)) level.container.push(value);
    else setKey(level.container, level.key, value);
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
    if (char === code.openBrace) return this.#open(this.#objectToFill());
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

  #objectToFill(): JsonObject {
    const level = this.#levels.at(-1);
    if (!this.#merge || level?.keys === undefined) return {};
    const { container, key } = level;
    if (Array.isArray(container) || !Object.hasOwn(container, key)) return {};
    const known = container[key];
    return isObject(known) ? known : {};
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

  #readNumber(): number | bigint {
    this.#number.lastIndex = this.#at;
    const [source = "", fraction, exponent] = this.#number.exec(this.#text) ?? [];
    this.#at += source.length;
    const value = Number(source);
    if (!Number.isFinite(value)) {
      throw new JsonError(`json: cannot unmarshal number ${source} into Go value of type float64`);
    }
    if (fraction !== undefined || exponent !== undefined) return value;
    if (Number.isSafeInteger(value)) return value;
    const exact = BigInt(source);
    // Where the type is known, its decoder judges the range; elsewhere Go falls back to a float.
    return this.#merge || (exact >= int64Min && exact <= int64Max) ? exact : value;
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

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

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

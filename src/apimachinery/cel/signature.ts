import {
  anyType, boolType, bytesType, doubleType, durationType, dynType, intType, listType, mapType,
  nullType, optionalType, paramType, stringType, timestampType, typeOfType, typeType, uintType,
  type CelType,
} from "./types.ts"; // prettier-ignore

const builtinTypes: ReadonlyMap<string, CelType> = new Map([
  ["dyn", dynType],
  ["any", anyType],
  ["null", nullType],
  ["bool", boolType],
  ["int", intType],
  ["uint", uintType],
  ["double", doubleType],
  ["string", stringType],
  ["bytes", bytesType],
  ["timestamp", timestampType],
  ["duration", durationType],
  ["type", typeType],
]);

export interface Signature {
  readonly name: string;
  /** Called as `receiver.name(...)`; the receiver is the first argument. */
  readonly member: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  /** Names of type parameters, e.g. `A`. */
  readonly typeParams: readonly string[];
}

/**
 * Reads a declaration such as `(list(A)).sum() -> A` (member: the receiver stands in parentheses) or
 * `math.least(int, int) -> int`. Single capitals are type parameters; `types` names further types.
 */
export function parseSignature(text: string, types: ReadonlyMap<string, CelType>): Signature {
  const reader = new SignatureReader(text, types);
  return reader.signature();
}

/** Reads one type, e.g. `map(string, list(int))`. */
export function parseType(text: string, types: ReadonlyMap<string, CelType> = new Map()): CelType {
  return new SignatureReader(text, types).type();
}

class SignatureReader {
  readonly #words: readonly string[];
  readonly #types: ReadonlyMap<string, CelType>;
  readonly #params = new Set<string>();
  #at = 0;

  constructor(text: string, types: ReadonlyMap<string, CelType>) {
    this.#words = text.match(/[@\w.]+|->|[(),]/g) ?? [];
    this.#types = types;
  }

  signature(): Signature {
    const args: CelType[] = [];
    const member = this.#accept("(");
    if (member) {
      args.push(this.type());
      this.#expect(")");
    }
    const name = this.#word().replace(/^\./, "");
    this.#expect("(");
    while (!this.#accept(")")) {
      args.push(this.type());
      this.#accept(",");
    }
    this.#expect("->");
    const result = this.type();
    return { name, member, args, result, typeParams: [...this.#params] };
  }

  type(): CelType {
    const word = this.#word();
    const params: CelType[] = [];
    if (this.#accept("(")) {
      do params.push(this.type());
      while (this.#accept(","));
      this.#expect(")");
    }
    const [first = dynType, second = dynType] = params;
    switch (word) {
      case "list":
        return listType(first);
      case "map":
        return mapType(first, second);
      case "optional":
        return optionalType(first);
      case "type":
        return params.length > 0 ? typeOfType(first) : typeType;
      default:
        return this.#named(word);
    }
  }

  #named(word: string): CelType {
    const known = this.#types.get(word) ?? builtinTypes.get(word);
    if (known !== undefined) return known;
    if (!/^[A-Z]$/.test(word)) throw new TypeError(`cannot read signature: unknown type ${word}`);
    this.#params.add(word);
    return paramType(word);
  }

  #word(): string {
    return this.#words[this.#at++] ?? "";
  }

  #accept(word: string): boolean {
    if (this.#words[this.#at] !== word) return false;
    this.#at++;
    return true;
  }

  #expect(word: string): void {
    if (!this.#accept(word)) throw new TypeError(`cannot read signature: expected ${word}`);
  }
}

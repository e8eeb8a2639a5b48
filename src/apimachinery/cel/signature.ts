import {
  anyType,
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  optionalType,
  paramType,
  stringType,
  timestampType,
  typeOfType,
  typeType,
  uintType,
  type CelType,
} from "./types.ts";

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
 * Reads a declaration such as `(list(A)).sum() -> A` (member: the receiver stands in parentheses)
 * or `math.least(int, int) -> int`. Single capitals are type parameters; `types` names further
 * types.
 */
export function parseSignature(text: string, types: ReadonlyMap<string, CelType>): Signature {
  const typeParams = new Set<string>();
  const read = (typeText: string): CelType => new TypeReader(typeText, types, typeParams).type();
  const member = text.startsWith("(");
  const receiverEnd = member ? text.indexOf(").") : -1;
  const args = member ? [read(text.slice(1, receiverEnd))] : [];
  const rest = member ? text.slice(receiverEnd + 2) : text;
  const open = rest.indexOf("(");
  const arrow = rest.lastIndexOf(" -> ");
  const list = rest.slice(open + 1, arrow - 1);
  if (list !== "") args.push(...new TypeReader(list, types, typeParams).types());
  const result = read(rest.slice(arrow + 4));
  return { name: rest.slice(0, open), member, args, result, typeParams: [...typeParams] };
}

/** Reads one type, e.g. `map(string, list(int))`. */
export function parseType(text: string, types: ReadonlyMap<string, CelType> = new Map()): CelType {
  return new TypeReader(text, types, new Set()).type();
}

class TypeReader {
  readonly #words: readonly string[];
  readonly #types: ReadonlyMap<string, CelType>;
  readonly #params: Set<string>;
  #at = 0;

  constructor(text: string, types: ReadonlyMap<string, CelType>, params: Set<string>) {
    this.#words = text.match(/[\w.]+|[(),]/g) ?? [];
    this.#types = types;
    this.#params = params;
  }

  types(): CelType[] {
    const types: CelType[] = [];
    do types.push(this.type());
    while (this.#accept(","));
    return types;
  }

  type(): CelType {
    const word = this.#word();
    const params: CelType[] = [];
    if (this.#accept("(")) {
      params.push(...this.types());
      this.#accept(")");
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
}

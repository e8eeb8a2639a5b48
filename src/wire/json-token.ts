/** What a parsed document holds where a typed decoder must see how the text was written. */

/** A number with a fraction or an exponent: to Go it is no integer, whatever its value. */
export class JsonNumber {
  /** As it was written. */
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** Infinite for what no double holds. */
  get value(): number {
    return Number(this.source);
  }

  toJSON(): unknown {
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(this.source);
  }
}

/** A member that stands more than once: each value, in order. */
export class RepeatedMember {
  readonly values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.values = values;
  }
}

/**
 * The value for who knows no type: numbers are numbers, and the last of repeated members counts.
 * Containers are changed in place where they hold such tokens. Iterative, so that depth costs no stack.
 */
export function plainJson(root: unknown): unknown {
  const result = plain(root);
  const open: unknown[] = [result];
  while (open.length > 0) {
    const container = open.pop();
    if (typeof container !== "object" || container === null) continue;
    const members = container as Record<string, unknown>;
    for (const key of Object.keys(members)) {
      const member = members[key];
      if (typeof member !== "object" || member === null) continue;
      const value = plain(member);
      if (value !== member) Object.defineProperty(members, key, { value });
      open.push(value);
    }
  }
  return result;
}

function plain(value: unknown): unknown {
  let inner = value;
  while (inner instanceof RepeatedMember) inner = inner.values.at(-1);
  return inner instanceof JsonNumber ? inner.value : inner;
}

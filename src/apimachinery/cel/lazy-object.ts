import { objectType, type CelType } from "./types.ts";
import { CelError, CelObject, type CelValue } from "./value.ts";

/** Computes a field when it is first read; throws `CelError` if it fails. */
export type Getter = () => CelValue;

/**
 * An object whose fields are computed on first use and then kept, errors included: the `variables`
 * of admission policies, each of which is an expression of its own.
 */
export class LazyObject extends CelObject {
  readonly type: CelType;
  readonly #getters: ReadonlyMap<string, Getter>;
  readonly #results = new Map<string, CelValue | CelError>();

  constructor(type: CelType, getters: ReadonlyMap<string, Getter>) {
    super();
    this.type = type;
    this.#getters = getters;
  }

  get(field: string): CelValue | undefined {
    const getter = this.#getters.get(field);
    if (getter === undefined) return undefined;
    let result = this.#results.get(field);
    if (result === undefined) {
      result = compute(getter);
      this.#results.set(field, result);
    }
    if (result instanceof CelError) throw result;
    return result;
  }

  has(field: string): boolean {
    return this.#getters.has(field);
  }

  fieldNames(): Iterable<string> {
    return this.#getters.keys();
  }
}

function compute(getter: Getter): CelValue | CelError {
  try {
    return getter();
  } catch (thrown) {
    if (thrown instanceof CelError) return thrown;
    throw thrown;
  }
}

/** The type of a lazy object, by the types of its fields. */
export function lazyObjectType(name: string, fields: ReadonlyMap<string, CelType>): CelType {
  return objectType(name, { field: (field) => fields.get(field) });
}

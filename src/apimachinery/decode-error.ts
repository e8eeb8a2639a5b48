import type { Slot } from "./struct-shape.ts";

/** A body that does not fit its type; the message is what Go's decoder says. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** Findings kept per object; Go's decoder stops there too. */
export const findingsMax = 100;

/** Deepest nesting of typed values: schemas within schemas. More would overflow the stack. */
export const typedDepthMax = 1500;

/** Where a decoder stands: fields, list indexes, and keys of maps. */
type Step = Slot | number | string;

/**
 * One decoding: the way to the current value, what was found, and the first error that Go would
 * save while going on.
 */
export class Decoding {
  readonly findings: string[] = [];
  readonly #collect: boolean;
  readonly #prefix: string;
  readonly #steps: Step[] = [];
  /** Above 0 inside values whose Go types decode themselves, without strictness. */
  #lenient = 0;
  #saved: DecodeError | undefined;

  /** What nobody sent the empty lists and maps of. */
  base: object | undefined;

  constructor(collectFindings: boolean, prefix: string) {
    this.#collect = collectFindings;
    this.#prefix = prefix;
  }

  enter(step: Step): void {
    if (this.#steps.push(step) > typedDepthMax) throw new DecodeError("exceeded max depth");
  }

  leave(): void {
    this.#steps.pop();
  }

  enterLenient(): void {
    this.#lenient++;
  }

  leaveLenient(): void {
    this.#lenient--;
  }

  unknownField(name: string): void {
    if (!this.#collect || this.#lenient > 0 || this.findings.length >= findingsMax) return;
    const path = this.path();
    const full = path === "" ? name : `${path}.${name}`;
    this.findings.push(`unknown field ${JSON.stringify(full)}`);
  }

  /** `spec.containers[0].name` */
  path(): string {
    let path = this.#prefix;
    for (const step of this.#steps) {
      if (typeof step === "number") path += `[${step}]`;
      else {
        const name = typeof step === "string" ? step : step.name;
        path += path === "" ? name : `.${name}`;
      }
    }
    return path;
  }

  /** Remembers the first error; decoding goes on, since a later hard error would win. */
  save(message: string): void {
    this.#saved ??= new DecodeError(message);
  }

  /** Go's UnmarshalTypeError: `what` is the JSON type, with the number where that matters. */
  mismatch(what: string, goType: string): string {
    let structName = "";
    const names: string[] = [];
    for (const step of this.#steps) {
      if (typeof step !== "object") continue;
      structName = step.structName;
      names.push(...step.embedded, step.name);
    }
    if (names.length === 0) return `json: cannot unmarshal ${what} into Go value of type ${goType}`;
    const field = `${structName}.${names.join(".")}`;
    return `json: cannot unmarshal ${what} into Go struct field ${field} of type ${goType}`;
  }

  finish(): void {
    if (this.#saved !== undefined) throw this.#saved;
  }
}

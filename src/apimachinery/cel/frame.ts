import { adaptJson, type Adapter } from "./json-value.ts";
import { iterationsPerCheck } from "./limits.ts";
import {
  CelBoxed,
  CelError,
  CostLimitError,
  InterruptedError,
  StopError,
  type CelValue,
} from "./value.ts";

/** A variable of an expression: its name and how its bound value is read. */
export interface Variable {
  readonly name: string;
  readonly adapt: Adapter;
}

/** What is bound to variables: JSON, CEL values, or functions that make one on first use. */
export type Bindings = Readonly<Record<string, unknown>>;

export interface Limits {
  /** Stops an evaluation that cost more. */
  readonly costMax: number;
  /** Asked every hundred iterations, since cost says little of time; true stops the evaluation. */
  readonly interrupted?: () => boolean;
}

export const unlimited: Limits = { costMax: Infinity };

/** The state of one evaluation. */
export class Frame {
  /** Variables by number; undefined until first used. */
  readonly globals: (CelValue | undefined)[];
  /** Loop variables and accumulators. An error stands in an accumulator whose last step failed. */
  readonly locals: (CelValue | CelError | undefined)[];
  readonly #variables: readonly Variable[];
  readonly #bindings: Bindings;
  readonly #interrupted: (() => boolean) | undefined;
  #iterations = 0;
  readonly costMax: number;
  cost = 0;

  constructor(variables: readonly Variable[], bindings: Bindings, limits: Limits) {
    this.#variables = variables;
    this.#bindings = bindings;
    this.#interrupted = limits.interrupted;
    this.costMax = limits.costMax;
    this.globals = [];
    this.locals = [];
    for (let i = 0; i < variables.length; i++) this.globals.push(undefined);
  }

  /** Called before each step of a loop; stops an evaluation that may not go on. */
  iterate(): void {
    if (this.cost > this.costMax) throw new CostLimitError();
    if (this.#interrupted === undefined || ++this.#iterations % iterationsPerCheck !== 0) return;
    if (this.#interrupted()) throw new InterruptedError();
  }

  /** Charges and stops when there is nothing left to spend. */
  charge(units: number): void {
    this.cost += units;
    if (this.cost > this.costMax) throw new CostLimitError();
  }

  /** Reads variable number `slot` for the first time. */
  load(slot: number): CelValue {
    const variable = this.#variables[slot];
    const value = variable === undefined ? undefined : this.find(variable);
    if (value === undefined) throw new CelError(`no such attribute(s): ${variable?.name ?? ""}`);
    this.globals[slot] = value;
    return value;
  }

  find({ name, adapt }: Variable): CelValue | undefined {
    if (!Object.hasOwn(this.#bindings, name)) return undefined;
    const bound = this.#bindings[name];
    if (bound === undefined) return undefined;
    const value: unknown = typeof bound === "function" ? bound() : bound;
    // Values that are CEL's own need no schema.
    return value instanceof CelBoxed ? adaptJson(value) : adapt(value);
  }

  /** The first of `names` that is bound, whether it was declared or not. */
  findAny(names: readonly string[]): CelValue | undefined {
    for (const name of names) {
      const value = this.find({ name, adapt: adaptJson });
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

export type Evaluate = (frame: Frame) => CelValue;

/** The error that was thrown, if operators may absorb it; throws anything else again. */
export function absorbed(thrown: unknown): CelError {
  if (thrown instanceof CelError && !(thrown instanceof StopError)) return thrown;
  throw thrown;
}

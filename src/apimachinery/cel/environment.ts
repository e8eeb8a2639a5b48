import type { Expr } from "./ast.ts";
import { check, type Checked, type Scope } from "./checker.ts";
import { compile } from "./compile.ts";
import { estimateCost, schemaSizes, type CostEstimate } from "./cost-estimate.ts";
import { unlimited } from "./estimate.ts";
import type { FunctionDeclaration, Library, Overload } from "./declaration.ts";
import { Frame, type Bindings, type Limits } from "./frame.ts";
import { adaptJson, type Adapter } from "./json-value.ts";
import { kubernetesLibraries } from "./library/kubernetes.ts";
import { standardMacros, type Macro } from "./macros.ts";
import { perCallCostMax } from "./limits.ts";
import { parse, type ParseOptions } from "./parser.ts";
import type { SchemaType } from "./schema.ts";
import { formatIssues, type Issue } from "./source.ts";
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  stringType,
  timestampType,
  typeType,
  uintType,
  type CelType,
} from "./types.ts";
import { literalIssues } from "./validators.ts";
import { CelError, CostLimitError, type CelValue } from "./value.ts";

export interface EnvironmentOptions {
  /** Variables by name; one with a schema is read by it and bounds cost estimates. */
  readonly variables?: Readonly<Record<string, CelType | SchemaType>>;
  /** Finds further object types by name, e.g. `Object.spec`. */
  readonly typeResolver?: (name: string) => CelType | undefined;
  /** @default Kubernetes 1.36's */
  readonly libraries?: readonly Library[];
  /** Prefix tried before names. */
  readonly container?: string;
  /**
   * Checks literals beyond their types: one type for all elements of a list or map, well-formed
   * durations, timestamps, patterns and formats. @default true
   */
  readonly validateLiterals?: boolean;
  /** How the parser deviates from what Kubernetes has, for tests. */
  readonly parse?: Pick<ParseOptions, "limits" | "unicodeInBytes">;
}

export type CompileResult =
  | {
      readonly ok: true;
      readonly program: Program;
      /** Variables that the expression reads. */
      readonly usedVariables: ReadonlySet<string>;
      readonly resultType: CelType;
      /** The least and most that an evaluation can cost. */
      readonly estimatedCost: CostEstimate;
    }
  | {
      readonly ok: false;
      readonly issues: readonly Issue[];
      /** All issues as cel-go prints them. */
      readonly message: string;
    };

export type EvaluateResult =
  | { readonly ok: true; readonly value: CelValue; readonly cost: number }
  | { readonly ok: false; readonly error: CelError; readonly cost: number };

export interface Program {
  /**
   * Evaluates. Never throws for what an expression can do wrong: that is the result's `error`,
   * whose message is cel-go's (`no such key: x`, `operation cancelled: actual cost limit exceeded`,
   * ...).
   */
  readonly evaluate: (bindings: Bindings, limits?: Partial<Limits>) => EvaluateResult;
}

export interface CompileOptions {
  /** False leaves types to run time; estimates are then meaningless. @default true */
  readonly check?: boolean;
}

export interface Environment {
  readonly compile: (expression: string, options?: CompileOptions) => CompileResult;
  /** The same environment with more variables. */
  readonly extend: (variables: Readonly<Record<string, CelType | SchemaType>>) => Environment;
}

/** Makes what expressions are compiled in. Cheap: libraries are prepared once. */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  const { libraries = kubernetesLibraries, variables = {} } = options;
  const prepared = prepare(libraries);
  const scope = createScope(options, prepared);
  return {
    compile: (expression, compileOptions = {}) => {
      return compileExpression(expression, { options, prepared, scope, ...compileOptions });
    },
    extend: (more) => createEnvironment({ ...options, variables: { ...variables, ...more } }),
  };
}

interface Prepared {
  readonly functions: ReadonlyMap<string, FunctionDeclaration>;
  readonly types: ReadonlyMap<string, CelType>;
  readonly macros: readonly Macro[];
}

const preparedLibraries = new WeakMap<readonly Library[], Prepared>();

function prepare(libraries: readonly Library[]): Prepared {
  const known = preparedLibraries.get(libraries);
  if (known !== undefined) return known;
  const overloads = new Map<string, Overload[]>();
  for (const overload of libraries.flatMap((library) => library.overloads)) {
    const named = overloads.get(overload.name) ?? [];
    if (!named.some((other) => other.id === overload.id)) named.push(overload);
    overloads.set(overload.name, named);
  }
  const functions = new Map<string, FunctionDeclaration>();
  for (const [name, named] of overloads) functions.set(name, { name, overloads: named });
  const types = new Map(standardTypes.map((type) => [type.name, type]));
  for (const type of libraries.flatMap((library) => library.types ?? []))
    types.set(type.name, type);
  const macros = [...standardMacros, ...libraries.flatMap((library) => library.macros ?? [])];
  const prepared = { functions, types, macros };
  preparedLibraries.set(libraries, prepared);
  return prepared;
}

const standardTypes = [
  boolType,
  bytesType,
  doubleType,
  durationType,
  intType,
  listType(dynType),
  mapType(dynType, dynType),
  nullType,
  stringType,
  timestampType,
  typeType,
  uintType,
];

function isSchemaType(type: CelType | SchemaType): type is SchemaType {
  return "adapt" in type;
}

/** What names mean in an environment of these options. */
export function createScope(
  options: EnvironmentOptions,
  prepared = prepare(options.libraries ?? kubernetesLibraries),
): Scope {
  const { variables = {}, typeResolver, container = "" } = options;
  return {
    container,
    variable(name) {
      if (!Object.hasOwn(variables, name)) return undefined;
      const declared = variables[name];
      if (declared === undefined) return undefined;
      return isSchemaType(declared) ? declared.type : declared;
    },
    typeNamed: (name) => prepared.types.get(name) ?? typeResolver?.(name),
    functionNamed: (name) => prepared.functions.get(name),
  };
}

interface Compilation {
  readonly options: EnvironmentOptions;
  readonly prepared: Prepared;
  readonly scope: Scope;
  readonly check?: boolean;
}

function compileExpression(expression: string, compilation: Compilation): CompileResult {
  const { options, prepared, scope } = compilation;
  const failed = (issues: readonly Issue[]): CompileResult => {
    return { ok: false, issues, message: formatIssues(expression, issues) };
  };
  const parsed = parse(expression, { ...options.parse, macros: prepared.macros });
  if (!parsed.ok) return failed(parsed.issues);
  const { expr } = parsed;
  if (compilation.check === false) return assemble(expr, compilation, undefined);
  const checked = check(expr, scope);
  if (checked.issues.length > 0) return failed(checked.issues);
  if (options.validateLiterals !== false) {
    const issues = literalIssues(expr, checked);
    if (issues.length > 0) return failed(issues);
  }
  return assemble(expr, compilation, checked);
}

function assemble(
  expr: Expr,
  compilation: Compilation,
  checked: Checked | undefined,
): CompileResult {
  const { variables = {} } = compilation.options;
  const schemaOf = (name: string): SchemaType | undefined => {
    const declared = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return declared !== undefined && isSchemaType(declared) ? declared : undefined;
  };
  const adapterFor = (name: string): Adapter => schemaOf(name)?.adapt ?? adaptJson;
  try {
    const compiled = compile(expr, { scope: compilation.scope, checked, adapterFor });
    const estimatedCost =
      checked === undefined
        ? { min: 0, max: unlimited }
        : estimateCost(expr, checked, schemaSizes(schemaOf));
    const resultType = checked?.types.get(expr.id) ?? dynType;
    const usedVariables = new Set(compiled.variables.map(({ name }) => name));
    return { ok: true, program: createProgram(compiled), usedVariables, resultType, estimatedCost };
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    const message = `program instantiation failed: ${thrown.message}`;
    return { ok: false, issues: [{ offset: -1, message }], message };
  }
}

function createProgram({ evaluate, variables }: ReturnType<typeof compile>): Program {
  return {
    evaluate(bindings, limits = {}) {
      const { costMax = perCallCostMax } = limits;
      const frame = new Frame(variables, bindings, { ...limits, costMax });
      try {
        const value = evaluate(frame);
        if (frame.cost > costMax) throw new CostLimitError();
        return { ok: true, value, cost: frame.cost };
      } catch (thrown) {
        const error = frame.cost > costMax ? new CostLimitError() : asCelError(thrown);
        return { ok: false, error, cost: frame.cost };
      }
    },
  };
}

function asCelError(thrown: unknown): CelError {
  if (thrown instanceof CelError) return thrown;
  // Deep values can exhaust the stack; cel-go reports its panics so too.
  if (thrown instanceof RangeError) return new CelError(`internal error: ${thrown.message}`);
  throw thrown;
}

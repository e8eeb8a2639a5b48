import { createEnvironment, type Environment, type Program } from "../environment.ts";
import { requestBytesMax } from "../limits.ts";
import { optionalSchemaType, type SchemaType } from "../schema.ts";
import type { CelType } from "../types.ts";
import { rulesOf, type RuleSchema, type ValidationRule } from "./rule-schema.ts";
import { readFieldPath } from "./rule-field-path.ts";

export interface CompiledExpression {
  /** Absent if the expression is empty or wrong. */
  readonly program?: Program;
  readonly error?: string;
  /** The most that an evaluation can cost; 0 if it was not compiled. */
  readonly costMax: number;
}

export interface CompiledRule extends CompiledExpression {
  readonly source: ValidationRule;
  readonly usesOldSelf: boolean;
  /** How often a request can hold a value under the rule, if nothing around it has a bound. */
  readonly occurrencesMax: number;
  readonly message: CompiledExpression;
  /** The rule's `fieldPath` as errors have it, "" for none. */
  readonly fieldPath: string;
}

/** Compiles a schema's own rules, not those of schemas inside it. */
export function compileRules(schema: RuleSchema, type: SchemaType): readonly CompiledRule[] {
  const rules = rulesOf(schema);
  if (rules.length === 0) return [];
  const environment = createEnvironment({ variables: { self: type, oldSelf: type } });
  const optional = environment.extend({ oldSelf: optionalSchemaType(type) });
  const occurrencesMax = Math.floor(requestBytesMax / (type.serializedBytesMin + 1));
  return rules.map((rule) => {
    const chosen = rule.optionalOldSelf === true ? optional : environment;
    return { ...compileRule(rule, schema, chosen), occurrencesMax };
  });
}

type Uncounted = Omit<CompiledRule, "occurrencesMax">;

const absent: CompiledExpression = { costMax: 0 };

function compileRule(
  source: ValidationRule,
  schema: RuleSchema,
  environment: Environment,
): Uncounted {
  const failed = (error?: string): Uncounted => {
    const expression = error === undefined ? absent : { ...absent, error };
    return { ...expression, source, usesOldSelf: false, message: absent, fieldPath: "" };
  };
  if (source.rule.trim() === "") return failed();
  const compiled = environment.compile(source.rule);
  if (!compiled.ok) {
    const instantiated = compiled.message.startsWith("program instantiation");
    return failed(instantiated ? compiled.message : `compilation failed: ${compiled.message}`);
  }
  if (!isType(compiled.resultType, "bool")) return failed("cel expression must evaluate to a bool");
  const { fieldPath = "", messageExpression = "" } = source;
  return {
    source,
    program: compiled.program,
    costMax: compiled.estimatedCost.max,
    usesOldSelf: compiled.usedVariables.has("oldSelf"),
    message: messageExpression === "" ? absent : compileMessage(messageExpression, environment),
    fieldPath: fieldPath === "" ? "" : (readFieldPath(fieldPath, schema) ?? ""),
  };
}

function compileMessage(expression: string, environment: Environment): CompiledExpression {
  const compiled = environment.compile(expression);
  if (!compiled.ok) {
    return { ...absent, error: `messageExpression compilation failed: ${compiled.message}` };
  }
  if (!isType(compiled.resultType, "string")) {
    return { ...absent, error: "messageExpression must evaluate to a string" };
  }
  return { program: compiled.program, costMax: compiled.estimatedCost.max };
}

function isType(type: CelType, name: string): boolean {
  return type.name === name;
}

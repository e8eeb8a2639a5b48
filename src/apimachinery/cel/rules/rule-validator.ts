import {
  duplicate,
  fieldErrorText,
  forbidden,
  invalid,
  omittedValue,
  required,
  type FieldError,
} from "#apimachinery/field-error.ts";
import type { EvaluateResult } from "../environment.ts";
import type { Bindings } from "../frame.ts";
import { iterationsPerCheck, messageBytesMax, perObjectCostMax } from "../limits.ts";
import { schemaType } from "../schema.ts";
import { CelOptional, CostLimitError, InterruptedError, optionalNone } from "../value.ts";
import type { CompiledRule } from "./compile-rules.ts";
import { Correlation, isJsonObject, oldElements } from "./correlation.ts";
import { createNode, type RuleNode } from "./rule-nodes.ts";
import {
  childPath,
  hasRules,
  isCorrelatableMap,
  type RuleSchema,
  type ValidationRule,
} from "./rule-schema.ts";

export interface RuleInput {
  readonly value: unknown;
  /** What an update replaces. Errors about what it leaves unchanged become warnings. */
  readonly oldValue?: unknown;
  /** Where the value is; "" for a whole object. */
  readonly path?: string;
  /** @default perObjectCostMax */
  readonly costMax?: number;
  /** Asked now and then; true ends evaluation with an error. */
  readonly interrupted?: () => boolean;
}

export interface RuleFindings {
  readonly errors: readonly FieldError[];
  readonly warnings: readonly string[];
  /** What is left of `costMax`; negative when it did not suffice. */
  readonly costLeft: number;
}

export type RuleValidator = (input: RuleInput) => RuleFindings;

/**
 * Compiles all rules of a structural schema; undefined when it has none. `resource` tells that the
 * schema is that of a whole object. Source: pkg/apiserver/schema/cel/validation.go.
 */
export function createRuleValidator(
  schema: RuleSchema,
  { resource }: { readonly resource: boolean },
): RuleValidator | undefined {
  if (!hasRules(schema)) return undefined;
  const type = schemaType(schema, { name: "selfType", resource });
  const node = createNode(schema, { schema, type, resource });
  if (node === undefined) return undefined;
  return ({ value, oldValue, path = "", costMax = perObjectCostMax, interrupted }) => {
    const run = new Run(costMax, interrupted);
    const at = oldValue === undefined ? undefined : new Correlation(schema, value, oldValue);
    const ratchet = { isRoot: true, at, parent: undefined };
    run.validate(node, { value, old: oldValue, path, ratchet });
    return { errors: run.errors, warnings: run.warnings, costLeft: run.costLeft };
  };
}

/** How a place relates to the old object. */
interface Ratchet {
  readonly isRoot: boolean;
  /** Undefined where there is nothing old to compare with. */
  readonly at: Correlation | undefined;
  /** The nearest place around that there is. */
  readonly parent: Correlation | undefined;
}

function inner(ratchet: Ratchet, child: (at: Correlation) => Correlation | undefined): Ratchet {
  if (ratchet.at === undefined) return { ...ratchet, isRoot: false };
  return { isRoot: false, at: child(ratchet.at), parent: ratchet.at };
}

function field(ratchet: Ratchet, name: string): Ratchet {
  // Both objects were converted to one version, so that these say nothing.
  if (ratchet.isRoot && (name === "apiVersion" || name === "kind")) {
    return { isRoot: false, at: undefined, parent: undefined };
  }
  return inner(ratchet, (at) => at.key(name));
}

function isUnchanged({ at, parent }: Ratchet): boolean {
  return (at ?? parent)?.isUnchanged() === true;
}

interface Place {
  readonly value: unknown;
  readonly old: unknown;
  readonly path: string;
  readonly ratchet: Ratchet;
}

const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

class Run {
  readonly errors: FieldError[] = [];
  readonly warnings: string[] = [];
  costLeft: number;
  readonly #interrupted: (() => boolean) | undefined;
  #evaluations = 0;

  constructor(costMax: number, interrupted?: () => boolean) {
    this.costLeft = costMax;
    this.#interrupted = interrupted;
  }

  validate(node: RuleNode, place: Place): void {
    const { value } = place;
    // A rule on a nullable value sees it only when it is not null.
    if (value === null || value === undefined) return;
    this.#applyRules(node, place);
    for (const nested of node.allOf) {
      if (this.costLeft < 0) return;
      const ratchet = { ...place.ratchet, at: undefined };
      this.validate(nested, { ...place, ratchet });
    }
    if (this.costLeft < 0) return;
    if (Array.isArray(value)) this.#validateItems(node, value, place);
    else if (isJsonObject(value)) this.#validateFields(node, value, place);
  }

  #validateItems({ items, schema }: RuleNode, list: readonly unknown[], place: Place): void {
    if (items === undefined) return;
    const oldOf = oldElements(schema, place.old);
    for (const [i, value] of list.entries()) {
      const ratchet = inner(place.ratchet, (at) => at.index(i));
      this.validate(items, { value, old: oldOf(value), path: `${place.path}[${i}]`, ratchet });
      if (this.costLeft < 0) return;
    }
  }

  #validateFields(node: RuleNode, object: Readonly<Record<string, unknown>>, place: Place): void {
    const old = isCorrelatableMap(node.schema) && isJsonObject(place.old) ? place.old : {};
    for (const [name, value] of Object.entries(object)) {
      const ratchet = field(place.ratchet, name);
      const inside = { value, old: Object.hasOwn(old, name) ? old[name] : undefined, ratchet };
      if (node.values !== undefined) {
        this.validate(node.values, { ...inside, path: `${place.path}[${name}]` });
      }
      if (this.costLeft < 0) return;
      const property = node.properties.get(name);
      if (property !== undefined) {
        this.validate(property, { ...inside, path: childPath(place.path, name) });
      }
      if (this.costLeft < 0) return;
    }
  }

  #applyRules(node: RuleNode, place: Place): void {
    const { type = "" } = node.schema;
    const { path } = place;
    if (node.isUntyped) {
      const reason = "failed to convert to declType for CEL validation rules";
      this.errors.push(invalid(path, type, `rule compiler initialization error: ${reason}`));
      return;
    }
    if (node.rules.length === 0) return;
    if (this.costLeft <= 0) return this.#stop(invalid(path, type, outOfBudget));
    const hasOld = place.old !== undefined && place.old !== null;
    const optionalOld = () => (hasOld ? new CelOptional(node.adapt(place.old)) : optionalNone);
    for (const rule of node.rules) {
      if (this.costLeft < 0) return;
      const isOptional = rule.source.optionalOldSelf === true;
      if (rule.usesOldSelf && !hasOld && !isOptional) continue;
      const oldSelf = isOptional ? optionalOld : place.old;
      this.#applyRule(rule, { node, place, bindings: { self: place.value, oldSelf } });
    }
  }

  #applyRule(rule: CompiledRule, { node, place, bindings }: Application): void {
    const { type = "" } = node.schema;
    const { path } = place;
    if (rule.error !== undefined) {
      this.errors.push(invalid(path, type, `rule compile error: ${rule.error}`));
    }
    if (rule.program === undefined) return;
    // Many small evaluations take time as well as one with many iterations.
    if (++this.#evaluations % iterationsPerCheck === 0 && this.#interrupted?.() === true) {
      const { message } = new InterruptedError();
      return this.#stop(invalid(path, type, `${message} evaluating rule: ${shownRule(rule.source)}`));
    }
    const result = rule.program.evaluate(bindings, this.#limits());
    if (result.cost > this.costLeft) return this.#stop(invalid(path, type, outOfBudget));
    this.costLeft -= result.cost;
    if (!result.ok) this.#evaluationFailed(rule, result, invalidHere(path, type));
    else if (result.value !== true) this.#ruleFailed(rule, { node, place, bindings });
  }

  #limits(): { interrupted?: () => boolean } {
    return this.#interrupted === undefined ? {} : { interrupted: this.#interrupted };
  }

  #stop(error: FieldError): void {
    this.errors.push(error);
    this.costLeft = -1;
  }

  #evaluationFailed(
    { source }: CompiledRule,
    { error }: EvaluateResult & { readonly ok: false },
    here: (detail: string) => FieldError,
  ): void {
    const shown = shownRule(source);
    const { message } = error;
    if (error instanceof CostLimitError) {
      const reason = "no further validation rules will be run due to call cost exceeds limit";
      this.#stop(here(`'${message}': ${reason} for rule: ${shown}`));
    } else if (message.startsWith("no such overload")) {
      const reason =
        "call arguments did not match a supported operator, function or macro signature";
      this.errors.push(here(`'${message}': ${reason} for rule: ${shown}`));
    } else if (error instanceof InterruptedError) {
      this.#stop(here(`${message} evaluating rule: ${shown}`));
    } else this.errors.push(here(`${message} evaluating rule: ${shown}`));
  }

  #ruleFailed(rule: CompiledRule, { node, place }: Application): void {
    const { source, message } = rule;
    const { type = "" } = node.schema;
    const path = rule.fieldPath === "" ? place.path : childPath(place.path, rule.fieldPath);
    const add = (error: FieldError): void => {
      const isRatcheted = !rule.usesOldSelf && isUnchanged(place.ratchet);
      if (isRatcheted) this.warnings.push(fieldErrorText(error));
      else this.errors.push(error);
    };
    let detail: string | undefined;
    if (message.program !== undefined) {
      // Even where the rule sees an optional old value, its message sees the value itself.
      const { old } = place;
      const plain = old === undefined ? { self: place.value } : { self: place.value, oldSelf: old };
      const result = message.program.evaluate(plain, this.#limits());
      const failure = this.#messageFailure(result, source);
      if (failure !== undefined) {
        add(invalid(path, type, failure));
        this.costLeft = -1;
        return;
      }
      this.costLeft -= result.cost;
      detail = usableMessage(result);
    }
    const value = type === "object" || type === "array" ? omittedValue : place.value;
    add(errorFor(source.reason, { path, value, detail: detail ?? defaultMessage(source) }));
  }

  /** Why no rules may be run after a message; other failures are replaced by the default message. */
  #messageFailure(result: EvaluateResult, { messageExpression = "" }: ValidationRule) {
    if (result.cost > this.costLeft) {
      return "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run";
    }
    if (result.ok || !(result.error instanceof CostLimitError)) return undefined;
    const quoted = JSON.stringify(messageExpression);
    return `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${quoted}`;
  }
}

interface Application {
  readonly node: RuleNode;
  readonly place: Place;
  readonly bindings: Bindings;
}

function invalidHere(path: string, type: string): (detail: string) => FieldError {
  return (detail) => invalid(path, type, detail);
}

function shownRule({ message = "", rule }: ValidationRule): string {
  return message === "" ? rule.trim() : message.trim();
}

function defaultMessage(source: ValidationRule): string {
  const { message = "" } = source;
  return message === "" ? `failed rule: ${shownRule(source)}` : message.trim();
}

/** A message that may be shown: one line, not empty, not too long. */
function usableMessage(result: EvaluateResult): string | undefined {
  if (!result.ok || typeof result.value !== "string") return undefined;
  const text = result.value.trim();
  const isUsable =
    text !== "" && !text.includes("\n") && Buffer.byteLength(text) <= messageBytesMax;
  return isUsable ? text : undefined;
}

function errorFor(
  reason: string | undefined,
  { path, value, detail }: { path: string; value: unknown; detail: string },
): FieldError {
  switch (reason) {
    case "FieldValueForbidden":
      return forbidden(path, detail);
    case "FieldValueRequired":
      return required(path, detail);
    case "FieldValueDuplicate":
      return duplicate(path, value);
    default:
      return invalid(path, value, detail);
  }
}

import type { Expression } from "#api/admissionregistration/expressions.ts";
import type { Mutation } from "#api/admissionregistration/v1/mutating-admission-policy.ts";
import { toJson } from "#apimachinery/cel/json-value.ts";
import { jsonPatchOperation, mutationTypeErrors } from "#apimachinery/cel/library/mutation.ts";
import { CelError, CelList, type CelValue } from "#apimachinery/cel/value.ts";
import { type ApplyNode, jsonSchema } from "#apimachinery/apply/apply-schema.ts";
import { mergeValues } from "#apimachinery/apply/merge.ts";
import { memberNode, TypedValueError, validateTyped } from "#apimachinery/apply/typed-value.ts";
import { JsonPatchError } from "#apimachinery/json-patch.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { applySchemaOfDefinition } from "../../rest/managed-fields.ts";
import { patchedValue } from "../mutation.ts";
import type { Evaluation } from "../cel/evaluation.ts";

/** A mutation that cannot be carried out. */
export class MutationError extends Error {
  override readonly name = "MutationError";
}

export interface Mutating {
  readonly expression: Expression;
  readonly evaluation: Evaluation;
  readonly definition: ResourceDefinition;
  /** The object as JSON, before. */
  readonly before: KubeObject | null;
}

/**
 * The object as JSON after one mutation. Errors: `MutationError`. Source: policy/mutating/patch.
 */
export async function applyMutation({ patchType }: Mutation, mutating: Mutating): Promise<unknown> {
  const { expression, evaluation } = mutating;
  if (expression.error !== undefined) throw new MutationError(expression.error);
  const result = await evaluation.evaluate(expression);
  if (!result.ok) throw new MutationError(result.error);
  return patchType === "JSONPatch" ? patch(result.value, mutating) : apply(result.value, mutating);
}

function refuseMismatch(value: CelValue): void {
  const [first] = mutationTypeErrors(value);
  if (first !== undefined) throw new MutationError(`type mismatch: ${first}`);
}

function patch(value: CelValue, { before }: Mutating): unknown {
  if (!(value instanceof CelList)) {
    throw new MutationError("type mismatch: JSONPatchType.expression should evaluate to array");
  }
  const operations = [...value].map((element) => {
    const operation = jsonPatchOperation(element);
    if (operation === undefined) {
      throw new MutationError(
        "type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch",
      );
    }
    const { op, path, from, value: wanted } = operation;
    return {
      op,
      path,
      ...(from !== "" && { from }),
      ...(wanted !== undefined && { value: wanted }),
    };
  });
  try {
    return patchedValue(before, operations);
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    if (error.message.startsWith("testing value")) return before;
    throw new MutationError(`JSON Patch: ${error.message}`);
  }
}

function apply(value: CelValue, { definition, before }: Mutating): unknown {
  refuseMismatch(value);
  const node = jsonSchema(applySchemaOfDefinition(definition));
  try {
    const config = {
      ...(toJson(value) as object),
      kind: before?.kind,
      apiVersion: before?.apiVersion,
    };
    validateTyped(node, config);
    const atomics = [...atomicPaths(node, config, "")];
    if (atomics.length > 0) {
      throw new MutationError(
        "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: " +
          atomics.join(", "),
      );
    }
    return mergeValues(node, before, config);
  } catch (error) {
    if (error instanceof CelError) throw new MutationError(error.message);
    if (!(error instanceof TypedValueError)) throw error;
    throw new MutationError(
      `error applying patch: failed to convert patch object to typed object: ${error.message}`,
    );
  }
}

/** Paths of lists, maps and structs that are one value: setting a part would drop the rest. */
function* atomicPaths(node: ApplyNode, value: unknown, path: string): Generator<string> {
  if (isJsonMap(value) && node.map !== undefined) {
    if (node.map.atomic) yield path;
    for (const [key, member] of Object.entries(value)) {
      const inner = memberNode(node.map, key);
      if (inner !== undefined && node.map.fields.has(key))
        yield* atomicPaths(inner, member, `${path}.${key}`);
    }
  }
  if (Array.isArray(value) && node.list !== undefined) {
    if (node.list.atomic) yield path;
    for (const [index, item] of value.entries())
      yield* atomicPaths(node.list.items, item, `${path}[${index}]`);
  }
}

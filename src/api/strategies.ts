import type { KubeObject, ObjectMeta } from "#apimachinery/object.ts";
import type {
  Conversion,
  Strategy,
  SubresourceDefinition,
  UpdateContext,
  Verb,
} from "#apimachinery/resource.ts";
import type { FieldError } from "#apimachinery/field-error.ts";

/** Strategies that most kinds share. */
const statusVerbs: readonly Verb[] = ["get", "patch", "update"];

interface WithSpecAndStatus extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

/** Writes of the resource keep the stored status. */
export function keepStatus<T extends WithSpecAndStatus>(
  object: T,
  { old }: UpdateContext<T>,
): void {
  object.status = old.status;
}

/** Creates begin without a status. */
export function dropStatus(object: WithSpecAndStatus): void {
  object.status = {};
}

interface StatusOptions<T> {
  validate?(object: T, context: UpdateContext<T>): FieldError[];
  warnings?: NonNullable<Strategy<T>["warnings"]>;
  /** What a write never owns beside `spec`. */
  readonly resetFields?: readonly string[];
  /** Further fields that status writes may not change, in place. */
  prepare?(object: T, context: UpdateContext<T>): void;
}

/** A status subresource: everything but status is kept as stored. Metadata may change. */
export function statusSubresource<T extends WithSpecAndStatus>(
  options: StatusOptions<T> = {},
): SubresourceDefinition<T> {
  return {
    verbs: statusVerbs,
    strategy: {
      prepareForUpdate(object, context) {
        object.spec = context.old.spec;
        options.prepare?.(object, context);
      },
      ...(options.validate && { validateUpdate: options.validate }),
      ...(options.warnings && { warnings: options.warnings }),
      ...(options.resetFields && { resetFields: ["spec", ...options.resetFields] }),
    },
  };
}

/** What a write that is no update of metadata leaves as it was; managed fields are the pipeline's. */
export function keepMetadata(meta: ObjectMeta, old: ObjectMeta): void {
  meta.deletionTimestamp = old.deletionTimestamp;
  meta.generation = old.generation;
  meta.selfLink = old.selfLink;
  meta.labels = old.labels;
  meta.annotations = old.annotations;
  meta.finalizers = old.finalizers;
  meta.ownerReferences = old.ownerReferences;
}

/** Of a version that differs from the stored one in name only. */
export const sameShape: Conversion = {
  toStorage: (object) => object,
  fromStorage: (object) => object,
};

import type { Call } from "../../call.ts";

const annotationBytesMax = 10 * 1024;

/** Audit annotations of one policy: bindings that give several values have them joined. */
export class AuditAnnotations {
  readonly #values = new Map<string, Set<string>>();

  add(key: string, value: string): void {
    const values = this.#values.get(key) ?? new Set();
    this.#values.set(key, values.add(value.slice(0, annotationBytesMax)));
  }

  publish(policy: string, call: Call): void {
    for (const [key, values] of this.#values)
      call.annotate?.(`${policy}/${key}`, [...values].join(", "));
  }
}

interface ValidationFailure {
  readonly index: number;
  readonly message: string;
  readonly policy: string;
  readonly binding: string;
  readonly validationActions: readonly string[];
}

/** Records a failed validation of a binding whose action is Audit. */
export function publishFailure(call: Call, { index, ...failure }: ValidationFailure): void {
  const { message, policy, binding, validationActions } = failure;
  const value = JSON.stringify([
    { message, policy, binding, expressionIndex: index, validationActions },
  ]);
  call.annotate?.("validation.policy.admission.k8s.io/validation_failure", value);
}

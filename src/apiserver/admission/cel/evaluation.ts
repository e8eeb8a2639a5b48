import type { AccessCheck, AccessDecision } from "#apimachinery/cel/library/authorizer.ts";
import { authorizerValue, requestResourceValue } from "#apimachinery/cel/library/authorizer.ts";
import { LazyObject } from "#apimachinery/cel/lazy-object.ts";
import { perCallCostMax } from "#apimachinery/cel/limits.ts";
import { createStopwatch, type Stopwatch } from "#apimachinery/cel/stopwatch.ts";
import { CelError, type CelValue } from "#apimachinery/cel/value.ts";
import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Clock } from "#base/clock.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Attributes, Authorizer } from "../../authorization/authorizer.ts";
import { type AdmissionRequest, namespaceOf, qualifiedOf, wireObject } from "../request.ts";
import { reviewedRequest } from "../webhook/review.ts";
import {
  type Expression,
  type NamedExpression,
  variablesType,
} from "#api/admissionregistration/expressions.ts";

/** Rounds of one expression; each brings one more decision of the authorizer. */
const roundsMax = 64;

export const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** The budget of all expressions together is spent. */
export class OutOfBudgetError extends Error {
  override readonly name = "OutOfBudgetError";

  constructor() {
    super(outOfBudget);
  }
}

export type Evaluated =
  | { readonly ok: true; readonly value: CelValue }
  | { readonly ok: false; readonly error: string };

export interface EvaluationOptions {
  readonly request: AdmissionRequest;
  /** The version that the policy or webhook wants to see. */
  readonly definition: ResourceDefinition;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly params?: object | null;
  readonly namespace?: Namespace | undefined;
  /** Expressions behind `variables`, each may use those before it. */
  readonly variables?: readonly NamedExpression[];
  readonly costMax: number;
}

class DecisionPending {
  readonly check: AccessCheck;

  constructor(check: AccessCheck) {
    this.check = check;
  }
}

/**
 * One evaluation of several expressions on one request: they share inputs, the values of variables,
 * answers of the authorizer and budgets of cost and time. Source: admission/plugin/cel/activation.go.
 */
export class Evaluation {
  readonly #options: EvaluationOptions;
  readonly #decisions = new Map<string, AccessDecision>();
  readonly #bindings: Record<string, unknown>;
  readonly #stopwatch: Stopwatch;
  #interrupted: () => boolean = () => false;
  #costLeft: number;

  constructor(options: EvaluationOptions) {
    this.#options = options;
    this.#stopwatch = createStopwatch(options.clock);
    this.#costLeft = options.costMax;
    this.#bindings = this.#inputs();
  }

  get costLeft(): number {
    return this.#costLeft;
  }

  /** Evaluates one; throws `OutOfBudgetError` when it does not fit the budget any more. */
  async evaluate({ text, program, error }: Expression): Promise<Evaluated> {
    if (program === undefined) return { ok: false, error: `compilation error: ${error ?? ""}` };
    for (let round = 0; round < roundsMax; round++) {
      try {
        const result = this.#stopwatch.run((interrupted) => {
          this.#interrupted = interrupted;
          return program.evaluate(this.#bindings, { interrupted });
        });
        this.#spend(result.cost);
        if (result.ok) return { ok: true, value: result.value };
        return {
          ok: false,
          error: `expression '${text}' resulted in error: ${result.error.message}`,
        };
      } catch (thrown) {
        if (!(thrown instanceof DecisionPending)) throw thrown;
        await this.#decide(thrown.check);
      }
    }
    return {
      ok: false,
      error: `expression '${text}' resulted in error: too many authorization checks`,
    };
  }

  #spend(cost: number): void {
    this.#costLeft -= cost;
    if (this.#costLeft < 0) throw new OutOfBudgetError();
  }

  #inputs(): Record<string, unknown> {
    const { request, definition, params, namespace, variables } = this.#options;
    const authorize = (check: AccessCheck): AccessDecision => {
      const decision = this.#decisions.get(JSON.stringify(check));
      if (decision === undefined) throw new DecisionPending(check);
      return decision;
    };
    const { group, resource } = qualifiedOf(request);
    const bindings: Record<string, unknown> = {
      object: once(() => wireObject(request, request.object, definition)),
      oldObject: once(() => wireObject(request, request.oldObject, definition)),
      request: once(() => reviewedRequest(request, definition)),
      namespaceObject: namespace === undefined ? null : visibleNamespace(namespace),
      params: params ?? null,
      authorizer: authorizerValue(authorize),
      "authorizer.requestResource": requestResourceValue(authorize, {
        group,
        resource,
        subresource: request.call.subresource,
        namespace: namespaceOf(request),
        name: request.name,
        fieldSelector: "",
        labelSelector: "",
      }),
    };
    if (variables !== undefined) bindings["variables"] = this.#variables(variables, bindings);
    return bindings;
  }

  #variables(variables: readonly NamedExpression[], bindings: Record<string, unknown>): LazyObject {
    const getters = new Map<string, () => CelValue>();
    for (const { name, expression } of variables) {
      getters.set(name, () => {
        const quoted = JSON.stringify(name);
        if (expression.program === undefined) {
          throw new CelError(
            `composited variable ${quoted} fails to compile: ${expression.error ?? ""}`,
          );
        }
        const result = expression.program.evaluate(bindings, { costMax: perCallCostMax, interrupted: this.#interrupted });
        this.#spend(result.cost);
        if (result.ok) return result.value;
        throw new CelError(
          `composited variable ${quoted} fails to evaluate: ${result.error.message}`,
        );
      });
    }
    return new LazyObject(variablesType(variables), getters);
  }

  async #decide(check: AccessCheck): Promise<void> {
    const attributes = attributesOf(this.#options.request, check);
    const decision = await this.#options.authorizer.authorize(attributes);
    this.#decisions.set(JSON.stringify(check), {
      allowed: decision.verdict === "allow",
      reason: decision.reason,
    });
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The part of a namespace that expressions may see. Source: CreateNamespaceObject. */
function visibleNamespace({ metadata, spec, status }: Namespace): object {
  const { managedFields: _m, ownerReferences: _o, selfLink: _s, ...visible } = metadata ?? {};
  return { metadata: visible, spec, status };
}

function attributesOf({ call }: AdmissionRequest, check: AccessCheck): Attributes {
  const { user } = check;
  const nobody = {
    group: "",
    version: "",
    resource: "",
    subresource: "",
    namespace: "",
    name: "",
    path: "",
  };
  const asked =
    user.kind === "request"
      ? call.user
      : {
          name: `system:serviceaccount:${user.namespace}:${user.name}`,
          uid: "",
          groups: [
            "system:serviceaccounts",
            `system:serviceaccounts:${user.namespace}`,
            "system:authenticated",
          ],
          extra: {},
        };
  if (check.kind === "path") {
    return { ...nobody, user: asked, verb: check.verb, isResource: false, path: check.path };
  }
  const { group, resource, subresource, namespace, name } = check;
  const about = { group, resource, subresource, namespace, name };
  return { ...nobody, ...about, version: "*", user: asked, verb: check.verb, isResource: true };
}

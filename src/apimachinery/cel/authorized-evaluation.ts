import { authorizerValue, requestResourceValue } from "./library/authorizer.ts";
import type {
  AccessCheck,
  AccessDecision,
  Authorize,
  ResourceAttributes,
} from "./library/authorizer.ts";
import type { EvaluateResult, Program } from "./environment.ts";
import type { Bindings, Limits } from "./frame.ts";

/** Rounds after which an expression is taken not to settle; each asks for one more decision. */
const roundsMax = 16;

/** Thrown through the evaluation when a decision is not there yet. */
class DecisionPending {
  readonly check: AccessCheck;

  constructor(check: AccessCheck) {
    this.check = check;
  }
}

export interface AuthorizedRun {
  readonly bindings: Bindings;
  readonly authorize: (check: AccessCheck) => Promise<AccessDecision>;
  /** Becomes `authorizer.requestResource`. */
  readonly requestResource?: ResourceAttributes;
  readonly limits?: Partial<Limits>;
}

/**
 * Evaluates an expression whose authorizer must wait, for instance for a webhook. Evaluation itself
 * never waits: it is begun anew with each decision that came in, which is cheap, since an
 * expression can pay for two checks.
 */
export async function evaluateWithAuthorizer(
  program: Program,
  { bindings, authorize, requestResource, limits }: AuthorizedRun,
): Promise<EvaluateResult> {
  const decisions = new Map<string, AccessDecision>();
  const decided: Authorize = (check) => {
    const decision = decisions.get(JSON.stringify(check));
    if (decision === undefined) throw new DecisionPending(check);
    return decision;
  };
  const complete: Record<string, unknown> = { ...bindings, authorizer: authorizerValue(decided) };
  if (requestResource !== undefined) {
    complete["authorizer.requestResource"] = requestResourceValue(decided, requestResource);
  }
  for (let round = 0; round < roundsMax; round++) {
    try {
      return program.evaluate(complete, limits);
    } catch (thrown) {
      if (!(thrown instanceof DecisionPending)) throw thrown;
      decisions.set(JSON.stringify(thrown.check), await authorize(thrown.check));
    }
  }
  throw new Error("cannot evaluate: the authorizer's checks do not settle");
}

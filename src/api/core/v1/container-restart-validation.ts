import { notSupported, required, tooMany } from "#apimachinery/field-error.ts";
import { type Findings, validateSupported } from "#apimachinery/validation/checks.ts";
import type { Container, ContainerRestartRule } from "./container.ts";

/** A container's own restart policy and rules by exit code (KEP-5307). */
const policies = ["Always", "Never", "OnFailure"];
const actions = ["Restart", "RestartAllContainers"];
const operators = ["In", "NotIn"];
const rulesMax = 20;
const exitCodesMax = 255;

export function* validateRestartRules(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  path: string,
): Findings {
  if (restartPolicy !== undefined) {
    yield* validateSupported(restartPolicy, policies, `${path}.restartPolicy`);
  } else if (rules.length > 0) {
    const detail = "must specify restartPolicy when restart rules are used";
    yield required(`${path}.restartPolicy`, detail);
  }
  if (rules.length > rulesMax) yield tooMany(`${path}.restartPolicyRules`, rules.length, rulesMax);
  for (const [i, rule] of rules.entries()) {
    yield* validateRule(rule, `${path}.restartPolicyRules[${i}]`);
  }
}

function* validateRule({ action = "", exitCodes }: ContainerRestartRule, path: string): Findings {
  if (!actions.includes(action)) yield notSupported(`${path}.action`, action, actions);
  if (exitCodes === undefined) yield required(`${path}.exitCodes`, "must be specified");
  else {
    const { operator = "", values = [] } = exitCodes;
    if (!operators.includes(operator))
      yield notSupported(`${path}.exitCodes.operator`, operator, operators);
    if (values.length > exitCodesMax)
      yield tooMany(`${path}.exitCodes.values`, values.length, exitCodesMax);
  }
}

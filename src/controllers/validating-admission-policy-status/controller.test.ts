import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ValidatingAdmissionPolicy,
  validatingAdmissionPolicies,
} from "#api/admissionregistration/v1/validating-admission-policy.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { validatingAdmissionPolicyStatusController } from "./controller.ts";

function policy(name: string, expression: string): ValidatingAdmissionPolicy {
  const rule = {
    apiGroups: ["apps"],
    apiVersions: ["v1"],
    operations: ["CREATE"],
    resources: ["deployments"],
  };
  return {
    metadata: { name, generation: 1 },
    spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression }] },
  } as unknown as ValidatingAdmissionPolicy;
}

test("expressions on fields that a kind lacks are told, others are not", async () => {
  const world = startControllerWorld([validatingAdmissionPolicyStatusController]);
  world.seed(validatingAdmissionPolicies, policy("good", "object.spec.replicas > 1"));
  world.seed(validatingAdmissionPolicies, policy("bad", "object.foo == 1"));
  await world.settle();
  const statusOf = (name: string) => world.get(validatingAdmissionPolicies, name)?.status;
  assert.equal(statusOf("good")?.observedGeneration, 1);
  assert.deepEqual(statusOf("good")?.typeChecking?.expressionWarnings ?? [], []);
  const [warning] = statusOf("bad")?.typeChecking?.expressionWarnings ?? [];
  assert.equal(warning?.fieldRef, "spec.validations[0].expression");
  assert.match(
    warning?.warning ?? "",
    /^apps\/v1, Kind=Deployment: compilation failed: ERROR: <input>:1:7: undefined field 'foo'/,
  );
});

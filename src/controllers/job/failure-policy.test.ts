import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodFailurePolicyRule } from "#api/batch/v1/job-spec.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { judgeFailure } from "./failure-policy.ts";

const pod: Pod = {
  metadata: { namespace: "a", name: "p" },
  spec: { containers: [] },
  status: {
    conditions: [{ type: "DisruptionTarget", status: "True" }],
    containerStatuses: [
      {
        name: "ok",
        image: "",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode: 0 } },
      },
      {
        name: "main",
        image: "",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode: 42 } },
      },
    ],
  },
};

const codes = (
  action: string,
  operator: string,
  values: number[],
  containerName?: string,
): PodFailurePolicyRule => ({
  action,
  onExitCodes: { operator, values, ...(containerName !== undefined && { containerName }) },
});

test("the first rule that matches decides", () => {
  const disrupted: PodFailurePolicyRule = {
    action: "Ignore",
    onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
  };
  const rows: [PodFailurePolicyRule[], string, string?][] = [
    [[], "Count"],
    [[codes("FailJob", "In", [1])], "Count"],
    [
      [codes("FailJob", "In", [42])],
      "FailJob",
      "Container main for pod a/p failed with exit code 42 matching FailJob rule at index 0",
    ],
    [
      [codes("FailJob", "NotIn", [1])],
      "FailJob",
      "Container main for pod a/p failed with exit code 42 matching FailJob rule at index 0",
    ],
    [[codes("FailJob", "NotIn", [42]), codes("FailIndex", "In", [42])], "FailIndex"],
    [[codes("FailJob", "In", [42], "ok"), disrupted], "Ignore"],
    [
      [{ ...disrupted, action: "FailJob" }],
      "FailJob",
      "Pod a/p has condition DisruptionTarget matching FailJob rule at index 0",
    ],
    [
      [{ action: "FailJob", onPodConditions: [{ type: "DisruptionTarget", status: "False" }] }],
      "Count",
    ],
  ];
  for (const [rules, action, message] of rows) {
    const verdict = judgeFailure({ rules }, pod);
    assert.deepEqual([verdict.action, verdict.message], [action, message]);
  }
});

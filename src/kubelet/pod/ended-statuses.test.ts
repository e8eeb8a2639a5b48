import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { endedStatuses } from "./ended-statuses.ts";

const states = {
  waits: { waiting: { reason: "ContainerCreating" } },
  done: { terminated: { exitCode: 0 } },
} as const;

/** In the spec's order. */
const cases: readonly { readonly init?: string; readonly regular: string; readonly ended: string }[] = [
  { regular: "waits", ended: "137" },
  { regular: "done waits", ended: "0 137" },
  { init: "waits", regular: "waits", ended: "waits waits" },
  { init: "done waits", regular: "waits", ended: "0 waits waits" },
  { init: "waits done", regular: "waits", ended: "137 0 137" },
  { init: "done", regular: "waits", ended: "0 137" },
];

for (const { init = "", regular, ended } of cases) {
  test(`what never started has failed when its Pod ends: [${init}] ${regular}`, () => {
    const listOf = (words: string): ContainerStatus[] =>
      words.split(" ").filter(Boolean).map((word, i) => ({ name: `c${i}`, state: states[word as keyof typeof states] }) as ContainerStatus);
    const statuses = { init: listOf(init), regular: listOf(regular), ephemeral: [] };
    const pod = { spec: { initContainers: statuses.init.map(({ name }) => ({ name })), containers: [] } } as unknown as Pod;
    const found = endedStatuses(pod, statuses);
    const say = ({ state }: ContainerStatus): string => String(state?.terminated?.exitCode ?? "waits");
    assert.equal([...found.init, ...found.regular].map(say).join(" "), ended);
  });
}

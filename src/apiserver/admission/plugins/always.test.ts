import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmissionRequest } from "../admission.ts";
import { alwaysAdmit, alwaysDeny } from "./always.ts";

const request = { name: "a", call: { definition: { group: "", plural: "pods" } } } as unknown as AdmissionRequest;

test("AlwaysDeny refuses in both phases, AlwaysAdmit in none", () => {
  const message = 'pods "a" is forbidden: admission control is denying all modifications';
  assert.throws(() => alwaysDeny.mutate?.(request), { message });
  assert.throws(() => alwaysDeny.validate?.(request), { message });
  assert.equal(alwaysAdmit.mutate?.(request), undefined);
});

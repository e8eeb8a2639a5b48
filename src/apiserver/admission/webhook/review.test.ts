import assert from "node:assert/strict";
import { test } from "node:test";
import { readVerdict, type Review } from "./review.ts";

const review: Review = { uid: "u", version: "v1", body: "" };
const patch = Buffer.from("[]").toString("base64");

function answer(
  response: object,
  head: object = { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1" },
): unknown {
  return { ...head, response: { uid: "u", allowed: true, ...response } };
}

const broken: readonly (readonly [answer: unknown, mutating: boolean, message: string])[] = [
  [{}, false, "webhook response was absent"],
  [answer({ uid: "x" }), false, 'expected response.uid="u", got "x"'],
  [
    answer({}, { kind: "AdmissionReview", apiVersion: "v2" }),
    false,
    "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got v2, Kind=AdmissionReview",
  ],
  [answer({ patch }), false, "validating webhook may not return response.patch"],
  [
    answer({ patchType: "JSONPatch" }),
    false,
    "validating webhook may not return response.patchType",
  ],
  [answer({ patch }), true, "webhook returned response.patch but not response.patchType"],
  [
    answer({ patchType: "JSONPatch" }),
    true,
    "webhook returned response.patchType but not response.patch",
  ],
  [answer({ patch, patchType: "" }), true, 'webhook returned invalid response.patchType of ""'],
];

for (const [given, mutating, message] of broken) {
  test(`readVerdict refuses: ${message}`, () => {
    assert.throws(() => readVerdict(given, review, mutating), { message });
  });
}

test("readVerdict gives the patch as text, with warnings and annotations", () => {
  const given = answer({
    patch,
    patchType: "JSONPatch",
    warnings: ["w"],
    auditAnnotations: { a: "b" },
  });
  assert.deepEqual(readVerdict(given, review, true), {
    allowed: true,
    auditAnnotations: { a: "b" },
    warnings: ["w"],
    patch: "[]",
    patchType: "JSONPatch",
  });
});

test("readVerdict of v1beta1 checks neither uid nor kind", () => {
  const given = answer({ uid: "x", patch }, {});
  const verdict = readVerdict(given, { ...review, version: "v1beta1" }, true);
  assert.equal(verdict.patchType, "JSONPatch");
});

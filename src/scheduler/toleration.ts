/** Tolerations and the taints they bear. Source: k8s.io/component-helpers scheduling/corev1. */
import type { Taint } from "#api/core/v1/node.ts";
import type { Toleration } from "#api/core/v1/pod-spec.ts";

type TaintLike = Pick<Taint, "key" | "effect" | "value">;

export function tolerates(toleration: Toleration, taint: TaintLike): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? "") {
    case "":
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "");
    case "Exists":
      return true;
    case "Lt":
      return compares(toleration, taint, (tainted, tolerated) => tainted < tolerated);
    case "Gt":
      return compares(toleration, taint, (tainted, tolerated) => tainted > tolerated);
    default:
      return false;
  }
}

function compares(
  toleration: Toleration,
  taint: TaintLike,
  test: (tainted: bigint, tolerated: bigint) => boolean,
): boolean {
  const integer = /^-?(0|[1-9][0-9]*)$/;
  const { value: tolerated = "" } = toleration;
  const { value: tainted = "" } = taint;
  return integer.test(tolerated) && integer.test(tainted) && test(BigInt(tainted), BigInt(tolerated));
}

/** The first taint with one of `effects` that no toleration bears. */
export function firstUntolerated(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  effects: readonly string[],
): Taint | undefined {
  return taints.find((taint) => effects.includes(taint.effect) && !isTolerated(taint, tolerations));
}

export function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint));
}

import type { Node } from "#api/core/v1/node.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { definePlugin, unresolvable } from "../../framework.ts";
import { requiredFeatures } from "./required-features.ts";

const refusal = unresolvable("node(s) didn't match Pod's required features");

/** Keeps Pods off nodes whose kubelets lack what they use. Source: scheduler NodeDeclaredFeatures. */
export const nodeDeclaredFeatures = definePlugin({
  name: "NodeDeclaredFeatures",
  enqueueOn: [
    "Node/add",
    {
      on: "Node/update-features",
      helps: ({ object, old }) => !deepEqual(featuresOf(object as Node), featuresOf(old as Node | undefined)),
    },
  ],
  filter({ pod }) {
    const required = requiredFeatures(pod);
    if (required.length === 0) return undefined;
    return {
      check({ node }) {
        const declared = featuresOf(node);
        return required.every((feature) => declared.includes(feature)) ? undefined : refusal;
      },
    };
  },
});

function featuresOf(node: Node | undefined): readonly string[] {
  return node?.status?.declaredFeatures ?? [];
}


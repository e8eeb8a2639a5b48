import type { Pod } from "#api/core/v1/pod.ts";
import type { Index } from "#client/indexer.ts";

/** Pods by the node they are on; "" for those without one. */
export const byNode: Index<Pod> = {
  name: "node",
  valuesOf: ({ spec }) => [spec.nodeName ?? ""],
};

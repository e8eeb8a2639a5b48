import { nodes } from "#api/core/v1/node.ts";
import { defineController, done, watchOf } from "../framework/controller.ts";

const annotation = "node.alpha.kubernetes.io/ttl";

/** Up to so many nodes, kubelets keep Secrets and ConfigMaps for so many seconds. */
const steps = [
  { nodesMax: 100, seconds: 0 },
  { nodesMax: 500, seconds: 15 },
  { nodesMax: 1000, seconds: 30 },
  { nodesMax: 2000, seconds: 60 },
  { nodesMax: Infinity, seconds: 300 },
];

/** Tells kubelets how long to cache, by the size of the cluster. Source: pkg/controller/ttl. */
export const ttlController = defineController({
  name: "ttl-controller",
  for: nodes,
  watches: [
    watchOf(nodes, {
      on: ["add", "delete"],
      // A step that was crossed concerns every node.
      keys: (_node, context) => {
        const count = context.lister(nodes).size;
        const crossed =
          secondsFor(count) !== secondsFor(count - 1) ||
          secondsFor(count) !== secondsFor(count + 1);
        return crossed
          ? context
              .lister(nodes)
              .list()
              .map(({ metadata }) => metadata.name ?? "")
          : [];
      },
    }),
  ],
  async reconcile(context) {
    const node = context.get();
    if (node === undefined) return done;
    const value = String(secondsFor(context.lister(nodes).size));
    if (node.metadata.annotations?.[annotation] === value) return done;
    const body = { metadata: { annotations: { [annotation]: value } } };
    await context.resource(nodes).patch(context.key, { type: "merge", body });
    return done;
  },
});

function secondsFor(count: number): number {
  return steps.find(({ nodesMax }) => count <= nodesMax)?.seconds ?? 0;
}

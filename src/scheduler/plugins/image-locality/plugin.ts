import { definePlugin, nodeScoreMax } from "../../framework.ts";

const mebibyte = 1024 * 1024;
/** Images smaller than this in sum are pulled fast enough. */
const sizeMin = 23 * mebibyte;
/** For each container: more than that makes no difference. */
const containerSizeMax = 1000 * mebibyte;

/** Likes nodes that have the pod's images already. Source: scheduler ImageLocality. */
export const imageLocality = definePlugin({
  name: "ImageLocality",
  score({ pod }, { cluster }) {
    const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    const names = containers.map(({ image }) => normalizedImage(image ?? ""));
    if (names.every((name) => cluster.nodesWithImage(name) === 0)) return undefined;
    const sizeMax = containerSizeMax * containers.length;
    return {
      score({ images }) {
        let sum = 0;
        for (const name of names) {
          const size = images.get(name);
          // The rarer the image, the less it counts: or else all pods would gather there.
          if (size !== undefined) sum += Math.trunc(size * (cluster.nodesWithImage(name) / cluster.nodeCount));
        }
        const bounded = Math.min(Math.max(sum, sizeMin), sizeMax);
        return Math.floor((nodeScoreMax * (bounded - sizeMin)) / (sizeMax - sizeMin));
      },
    };
  },
});

/** With the tag that is meant when there is none. */
function normalizedImage(name: string): string {
  return name.lastIndexOf(":") <= name.lastIndexOf("/") ? `${name}:latest` : name;
}

/** Random worlds for comparisons with the naive scheduler; few values each, so that things meet. */
import type { Node } from "#api/core/v1/node.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolume } from "#api/core/v1/persistent-volume.ts";
import type { ResourceClaim } from "#api/resource/v1/resource-claim.ts";
import type { ResourceSlice } from "#api/resource/v1/resource-slice.ts";
import type { Random } from "#base/random.ts";
import { node, type PodSketch } from "./world.ts";

export const zone = "topology.kubernetes.io/zone";
export const models = ["big", "small"];
const zones = ["east", "west"];

export function createDice(random: Random) {
  const chance = (share: number): boolean => random.float() < share;
  const one = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T;
  return { chance, one, ...offers({ chance, one }), ...wishes({ chance, one }) };
}

interface Rolls {
  chance(share: number): boolean;
  one<T>(...values: readonly T[]): T;
}

/** What a cluster has. */
function offers({ chance, one }: Rolls) {
  return {
    node: (name: string): Node =>
      node(name, {
        cpu: one("2", "4"),
        podsMax: one("3", "6"),
        labels: { ...(chance(0.8) && { [zone]: one(...zones) }) },
        unschedulable: chance(0.05),
        ...(chance(0.15) && { taints: [{ key: "old", value: "", effect: "NoSchedule" }] }),
      }),
    slice: (nodeName: string): ResourceSlice => ({
      metadata: { name: `slice-${nodeName}` },
      spec: {
        driver: "gpu.example.com",
        nodeName,
        pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
        devices: Array.from({ length: one(0, 1, 2, 3) }, (_, i) => ({
          name: `gpu-${i}`,
          attributes: { model: { string: one(...models) } },
        })),
      },
    }),
    volume: (name: string, nodes: readonly string[], index: number): PersistentVolume => {
      const affinity = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [...nodes] }] };
      return {
        metadata: { name, ...(chance(0.3) && { labels: { [zone]: one(...zones) } }) },
        spec: {
          // No two of a size, so that the smallest is one.
          capacity: { storage: `${one(1, 2, 5) * 1000 + index}Mi` },
          accessModes: ["ReadWriteOnce", "ReadWriteOncePod"],
          storageClassName: "local",
          ...(nodes.length > 0 && { nodeAffinity: { required: { nodeSelectorTerms: [affinity] } } }),
          csi: { driver: "csi.example.com", volumeHandle: `handle-${name}` },
        },
        status: { phase: "Available" },
      } as PersistentVolume;
    },
  };
}

/** What pods want. */
function wishes({ chance, one }: Rolls) {
  return {
    claim: (name: string, volumeName: string | undefined): PersistentVolumeClaim => ({
      metadata: {
        name,
        namespace: "default",
        uid: `uid-${name}`,
        ...(volumeName && { annotations: { "pv.kubernetes.io/bind-completed": "yes" } }),
      },
      spec: {
        accessModes: [one("ReadWriteOnce", "ReadWriteOnce", "ReadWriteOncePod")],
        storageClassName: "local",
        resources: { requests: { storage: one("500Mi", "1500Mi", "4000Mi") } },
        ...(volumeName && { volumeName }),
      },
      status: { phase: volumeName ? "Bound" : "Pending" },
    }),
    deviceClaim: (name: string): ResourceClaim =>
      ({
        metadata: { name, namespace: "default", uid: `uid-${name}` },
        spec: {
          devices: {
            requests: Array.from({ length: one(1, 1, 2) }, (_, i) => ({
              name: `gpu-${i}`,
              exactly: { deviceClassName: one("any", ...models), allocationMode: "ExactCount", count: 1 },
            })),
          },
        },
      }) as ResourceClaim,
    podSketch: (): PodSketch => ({
      cpu: one("500m", "1", "2"),
      labels: { app: one("web", "db") },
      priority: one(0, 0, 10, 100),
      ...(chance(0.2) && { hostPort: one(80, 443) }),
      ...(chance(0.3) && { tolerations: [{ key: "old", operator: "Exists" }] }),
      ...(chance(0.2) && {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: one(zone, "kubernetes.io/hostname"), labelSelector: { matchLabels: { app: "db" } } },
            ],
          },
        },
      }),
      ...(chance(0.2) && {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: zone,
            whenUnsatisfiable: "DoNotSchedule",
            labelSelector: { matchLabels: { app: "web" } },
          },
        ],
      }),
    }),
  };
}

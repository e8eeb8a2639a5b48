/** The volumes whose files come from the API. */
import { writePayload } from "./atomic-writer.ts";
import {
  configMapPayload,
  downwardPayload,
  type Payload,
  type PayloadSources,
  projectedPayload,
  secretPayload,
} from "./payload.ts";
import type { VolumePlugin, VolumeSetup } from "./volume-plugin.ts";

const modeDefault = 0o644;

export const configMapVolume: VolumePlugin = written(
  "kubernetes.io~configmap",
  (volume) => volume.configMap !== undefined,
  ({ pod, volume }, { objects }) => {
    const mode = volume.configMap?.defaultMode ?? modeDefault;
    return configMapPayload(pod, { ...volume.configMap, mode }, objects);
  },
);

export const secretVolume: VolumePlugin = written(
  "kubernetes.io~secret",
  (volume) => volume.secret !== undefined,
  ({ pod, volume }, { objects }) => {
    const { secretName: name, defaultMode: mode = modeDefault, ...source } = volume.secret ?? {};
    return secretPayload(pod, { ...source, name, mode }, objects);
  },
);

export const downwardApiVolume: VolumePlugin = written(
  "kubernetes.io~downward-api",
  (volume) => volume.downwardAPI !== undefined,
  async ({ pod, volume }, { fields }) => {
    const { items = [], defaultMode: mode = modeDefault } = volume.downwardAPI ?? {};
    return downwardPayload(pod, { items, mode }, fields);
  },
);

export const projectedVolume: VolumePlugin = written(
  "kubernetes.io~projected",
  (volume) => volume.projected !== undefined,
  ({ pod, volume }, sources) => projectedPayload(pod, volume.projected ?? { sources: [] }, sources),
);

function written(
  name: string,
  handles: VolumePlugin["handles"],
  payloadOf: (setup: VolumeSetup, sources: PayloadSources) => Promise<Payload>,
): VolumePlugin {
  return {
    name,
    handles,
    written: true,
    async setUp(setup) {
      const { pod, directory, context, fields } = setup;
      const payload = await payloadOf(setup, { ...context.sources, fields });
      const { files, clock, random } = context.world;
      const time = new Date(clock.nowMs()).toISOString().slice(0, 19).replaceAll(/[-T:]/g, "_");
      const stamp = `${time}.${random.below(1e9)}`;
      const { fsGroup } = pod.spec.securityContext ?? {};
      await writePayload(directory, payload, { files, stamp, fsGroup });
      return directory;
    },
  };
}

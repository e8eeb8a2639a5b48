import type { World } from "#base/world.ts";
import { writeYaml } from "#wire/yaml.ts";
import type { KeyPair } from "./pki.ts";

export interface KubeconfigSpec {
  readonly server: string;
  readonly caPem: string;
  readonly user: string;
  readonly pair: KeyPair;
}

/** Writes a kubeconfig with embedded certificates, readable by its owner alone. */
export async function writeKubeconfig(world: World, path: string, spec: KubeconfigSpec): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "kubets",
        cluster: { server: spec.server, "certificate-authority-data": base64(spec.caPem) },
      },
    ],
    users: [
      {
        name: spec.user,
        user: {
          "client-certificate-data": base64(spec.pair.cert),
          "client-key-data": base64(spec.pair.key),
        },
      },
    ],
    contexts: [{ name: "kubets", context: { cluster: "kubets", user: spec.user } }],
    "current-context": "kubets",
  };
  await world.files.writeAtomic(path, writeYaml(config), 0o600);
}

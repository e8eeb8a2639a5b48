import { join } from "node:path";
import type { World } from "#base/world.ts";
import type { PreparedNode } from "./cluster-file.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { openLeaf, type Pki } from "./pki.ts";

export interface ComponentKubeconfigs {
  readonly dataDirectory: string;
  readonly server: string;
  readonly pki: Pki;
  readonly nodes: readonly PreparedNode[];
}

interface Identity {
  /** Name of the file, `NAME.conf`. */
  readonly file: string;
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

const controlPlane: readonly Identity[] = [
  { file: "controller-manager", commonName: "system:kube-controller-manager" },
  { file: "scheduler", commonName: "system:kube-scheduler" },
  { file: "node-services", commonName: "system:kube-proxy", organizations: ["kubets:node-services"] },
];

/** A kubeconfig for each component that may run in a process of its own. */
export async function writeComponentKubeconfigs(world: World, spec: ComponentKubeconfigs): Promise<void> {
  const nodes = spec.nodes.map(({ name }) => ({
    file: `kubelet-${name}`,
    commonName: `system:node:${name}`,
    organizations: ["system:nodes"],
  }));
  await Promise.all([...controlPlane, ...nodes].map((identity) => write(world, spec, identity)));
}

async function write(world: World, spec: ComponentKubeconfigs, identity: Identity): Promise<void> {
  const pair = await openLeaf(world, spec.pki, {
    file: `${identity.file}-client`,
    authority: spec.pki.ca,
    commonName: identity.commonName,
    organizations: identity.organizations ?? [],
    usages: ["client auth"],
  });
  await writeKubeconfig(world, join(spec.dataDirectory, `${identity.file}.conf`), {
    server: spec.server,
    caPem: spec.pki.caPem,
    user: identity.commonName,
    pair,
  });
}

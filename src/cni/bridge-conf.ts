/** The network configuration list of a node, for the standard CNI plugins. */
export interface BridgeNetwork {
  readonly name: string;
  /** @default "cni0" */
  readonly bridge?: string;
  readonly podCidr: string;
  /** Where host-local keeps its leases; each node needs one of its own. */
  readonly leaseDirectory: string;
  readonly mtu: number;
}

/**
 * Bridge, host-local, portmap. Masquerading is off, since the plugin would also hide pods from
 * pods of other nodes; the proxy masquerades what leaves the pod range.
 * Source: containernetworking/cni SPEC 0.4.0.
 */
export function bridgeConfList(network: BridgeNetwork): object {
  return {
    cniVersion: "0.4.0",
    name: network.name,
    plugins: [
      {
        type: "bridge",
        bridge: network.bridge ?? "cni0",
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        mtu: network.mtu,
        ipam: {
          type: "host-local",
          dataDir: network.leaseDirectory,
          ranges: [[{ subnet: network.podCidr }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
}

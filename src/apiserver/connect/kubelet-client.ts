import type { Node } from "#api/core/v1/node.ts";
import type { HttpClient } from "#base/http.ts";
import { notFound, plainError } from "#apimachinery/status.ts";
import type { LiveSet } from "../storage/live-set.ts";

/** Connections to kubelets, one client per node address. */
export interface KubeletClients extends AsyncDisposable {
  /** Errors: InternalError when the node has no address. */
  of(nodeName: string): HttpClient;
}

/** Order in which a node's addresses are tried. Source: --kubelet-preferred-address-types. */
const addressTypes = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];
const kubeletPortDefault = 10_250;

export function createKubeletClients(spec: {
  readonly nodes: LiveSet<Node>;
  readonly open: (target: { readonly host: string; readonly port: number }) => HttpClient;
}): KubeletClients {
  const clients = new Map<string, HttpClient>();
  return {
    of(nodeName) {
      const node = spec.nodes.get("", nodeName);
      if (node === undefined) throw notFound({ group: "", resource: "nodes" }, nodeName);
      const host = addressOf(node);
      if (host === undefined) throw plainError("no preferred addresses found; known addresses: []");
      const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || kubeletPortDefault;
      const key = `${host}:${port}`;
      let client = clients.get(key);
      if (client === undefined) {
        client = spec.open({ host, port });
        clients.set(key, client);
      }
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...clients.values()].map((client) => client[Symbol.asyncDispose]()));
    },
  };
}

/** Names are of no use without a resolver for them: addresses come first here. */
function addressOf(node: Node): string | undefined {
  const addresses = node.status?.addresses ?? [];
  const numeric = addresses.find(({ type, address }) => type === "InternalIP" && address !== "");
  if (numeric !== undefined) return numeric.address;
  for (const wanted of addressTypes) {
    const found = addresses.find(({ type, address }) => type === wanted && address !== "");
    if (found !== undefined) return found.address;
  }
  return undefined;
}

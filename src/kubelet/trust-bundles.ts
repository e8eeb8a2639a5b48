import {
  type ClusterTrustBundle,
  clusterTrustBundles,
} from "#api/certificates/v1beta1/cluster-trust-bundle.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import { labelSelectorOf, matches } from "#apimachinery/selectors.ts";
import { isNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import type { PayloadSources, TrustBundleSelection } from "./volumes/payload.ts";

/** Certificates of ClusterTrustBundles. Source: kubelet/clustertrustbundle. */
export function trustBundleReader(client: Client): PayloadSources["trustBundle"] {
  const resource = client.resource(clusterTrustBundles);

  async function bundles(selection: TrustBundleSelection): Promise<readonly ClusterTrustBundle[]> {
    if (selection.name !== undefined) {
      try {
        return [await resource.get(selection.name)];
      } catch (error) {
        if (isNotFound(error)) return [];
        throw error;
      }
    }
    const { items } = await resource.list({
      fieldSelector: `spec.signerName=${selection.signerName ?? ""}`,
    });
    const selected = labelSelectorOf(selection.labelSelector);
    return items.filter(({ metadata }) => matches(selected, metadata?.labels));
  }

  return async (selection) => {
    const found = await bundles(selection);
    if (found.length === 0) return undefined;
    const certificates = found.flatMap(({ spec }) => certificatesOf(spec.trustBundle));
    return [...new Set(certificates)].toSorted(compareBytes).join("");
  };
}

/** Each PEM block with its newline. */
function certificatesOf(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => `${block}\n`);
}

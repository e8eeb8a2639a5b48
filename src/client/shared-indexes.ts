/**
 * Indexes that several components use. An index is known by its identity, so in one process they
 * share these values and the informer files each object once.
 */
import { type EndpointSlice, serviceNameLabel } from "#api/discovery/v1/endpoint-slice.ts";
import type { VolumeAttachment } from "#api/storage/v1/volume-attachment.ts";
import type { Index } from "./indexer.ts";

/** Slices by `namespace/name` of their Service. */
export const slicesByService: Index<EndpointSlice> = {
  name: "service",
  valuesOf: ({ metadata }) => {
    const name = metadata?.labels?.[serviceNameLabel];
    return name === undefined ? [] : [`${metadata?.namespace ?? ""}/${name}`];
  },
};

export const attachmentsByNode: Index<VolumeAttachment> = { name: "node", valuesOf: ({ spec }) => [spec.nodeName] };

import { type ObjectMeta } from "#apimachinery/object.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { ipWarnings } from "#apimachinery/validation/ip.ts";
import { validateEndpointSlice } from "./endpoint-slice-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { ObjectReference } from "#api/core/v1/object-reference.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  int32,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

/** Names the Service that a slice belongs to. Source: discovery/v1 well_known_labels.go. */
export const serviceNameLabel = "kubernetes.io/service-name";

export const EndpointConditions = struct("io.k8s.api.discovery.v1.EndpointConditions", {
  ready: ptr(1, bool),
  serving: ptr(2, bool),
  terminating: ptr(3, bool),
});
export interface EndpointConditions extends Infer<typeof EndpointConditions> {}

export const ForZone = struct("io.k8s.api.discovery.v1.ForZone", {
  name: req(1, string),
});
export interface ForZone extends Infer<typeof ForZone> {}

export const ForNode = struct("io.k8s.api.discovery.v1.ForNode", {
  name: req(1, string),
});
export interface ForNode extends Infer<typeof ForNode> {}

export const EndpointHints = struct("io.k8s.api.discovery.v1.EndpointHints", {
  forZones: opt(1, listOf(ForZone), { listType: "atomic" }),
  forNodes: opt(2, listOf(ForNode), { listType: "atomic" }),
});
export interface EndpointHints extends Infer<typeof EndpointHints> {}

export const Endpoint = struct("io.k8s.api.discovery.v1.Endpoint", {
  addresses: req(1, listOf(string), { listType: "set" }),
  conditions: opt(2, EndpointConditions),
  hostname: ptr(3, string),
  targetRef: ptr(4, ObjectReference),
  deprecatedTopology: opt(5, mapOf(string)),
  nodeName: ptr(6, string),
  zone: ptr(7, string),
  hints: ptr(8, EndpointHints),
});
export interface Endpoint extends Infer<typeof Endpoint> {}

export const EndpointPort = struct(
  "io.k8s.api.discovery.v1.EndpointPort",
  {
    name: ptr(1, string),
    protocol: ptr(2, named("v1.Protocol", string)),
    port: ptr(3, int32),
    appProtocol: ptr(4, string),
  },
  { atomic: true },
);
export interface EndpointPort extends Infer<typeof EndpointPort> {}

export const EndpointSlice = kind("io.k8s.api.discovery.v1.EndpointSlice", {
  metadata,
  addressType: req(4, named("v1.AddressType", string)),
  endpoints: req(2, listOf(Endpoint), { required: false, listType: "atomic" }),
  ports: req(3, listOf(EndpointPort), { required: false, listType: "atomic" }),
});
export interface EndpointSlice extends Infer<typeof EndpointSlice> {}

export const endpointSlices = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  scope: "Namespaced",
  schema: EndpointSlice,
  strategy: {
    generation: true,
    default(slice) {
      for (const port of slice.ports ?? []) {
        port.name ??= "";
        port.protocol ??= "TCP";
      }
    },
    prepareForCreate: dropTopology,
    prepareForUpdate(slice, { old }) {
      if (!sameTopology(slice, old)) dropTopology(slice);
      // Metadata counts as well, except what the server keeps.
      const { ownerReferences: _o, ...meta } = visibleMeta(slice.metadata);
      const { ownerReferences: _p, ...before } = visibleMeta(old.metadata);
      if (!semanticEqual(meta, before)) {
        slice.metadata.generation = (old.metadata.generation ?? 0) + 1;
      }
    },
    validate: (slice) => [...validateEndpointSlice(slice)],
    validateUpdate: (slice, { old }) => [...validateEndpointSlice(slice, old)],
    warnings(slice, { old }) {
      if (slice.addressType === "FQDN") return ["spec.addressType: FQDN endpoints are deprecated"];
      if (old !== undefined) return [];
      return slice.endpoints.flatMap(({ addresses }, i) =>
        addresses.flatMap((address, j) => ipWarnings(address, `endpoints[${i}].addresses[${j}]`)),
      );
    },
  },
  columns: [
    nameColumn,
    column("AddressType", (slice) => slice.addressType, { description: "IPv4, IPv6 or FQDN." }),
    column("Ports", ({ ports }) => someOf((ports ?? []).map(portText)), { description: "Ports of every endpoint." }),
    column("Endpoints", ({ endpoints }) => someOf(endpoints.flatMap(({ addresses }) => addresses)), {
      description: "Addresses of the slice.",
    }),
    ageColumn,
  ],
});

/** Topology is only what the beta version stored: v1 keeps it, and takes none. */
function dropTopology(slice: EndpointSlice): void {
  for (const endpoint of slice.endpoints) delete endpoint.deprecatedTopology;
}

function sameTopology(slice: EndpointSlice, old: EndpointSlice): boolean {
  const [after, before] = [slice, old].map(({ endpoints }) =>
    endpoints.map(({ deprecatedTopology }) => deprecatedTopology),
  );
  return semanticEqual(after, before);
}

/** What makes a generation. */
function visibleMeta(
  meta: ObjectMeta,
): Omit<ObjectMeta, "managedFields" | "generation" | "resourceVersion"> {
  const { managedFields: _m, generation: _g, resourceVersion: _r, ...visible } = meta;
  return visible;
}

const shownMax = 3;

function someOf(items: readonly string[]): string {
  if (items.length === 0) return "<unset>";
  const shown = items.slice(0, shownMax).join(",");
  return items.length > shownMax ? `${shown} + ${items.length - shownMax} more...` : shown;
}

function portText({ port, name }: EndpointPort): string {
  if (port !== undefined) return String(port);
  return name || "<unset>";
}

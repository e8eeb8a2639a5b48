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
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

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
    protocol: ptr(2, string),
    port: ptr(3, int32),
    appProtocol: ptr(4, string),
  },
  { atomic: true },
);
export interface EndpointPort extends Infer<typeof EndpointPort> {}

export const EndpointSlice = kind("io.k8s.api.discovery.v1.EndpointSlice", {
  metadata,
  addressType: req(4, string),
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
});

import { validateEndpoints } from "./endpoints-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { ObjectReference } from "./object-reference.ts";

export const EndpointAddress = struct(
  "io.k8s.api.core.v1.EndpointAddress",
  {
    ip: req(1, string),
    hostname: opt(3, string),
    nodeName: ptr(4, string),
    targetRef: ptr(2, ObjectReference),
  },
  { atomic: true },
);
export interface EndpointAddress extends Infer<typeof EndpointAddress> {}

export const EndpointPort = struct(
  "io.k8s.api.core.v1.EndpointPort",
  {
    name: opt(1, string),
    port: req(2, int32),
    protocol: opt(3, named("v1.Protocol", string)),
    appProtocol: ptr(4, string),
  },
  { atomic: true },
);
export interface EndpointPort extends Infer<typeof EndpointPort> {}

export const EndpointSubset = struct("io.k8s.api.core.v1.EndpointSubset", {
  addresses: opt(1, listOf(EndpointAddress), { listType: "atomic" }),
  notReadyAddresses: opt(2, listOf(EndpointAddress), { listType: "atomic" }),
  ports: opt(3, listOf(EndpointPort), { listType: "atomic" }),
});
export interface EndpointSubset extends Infer<typeof EndpointSubset> {}

export const Endpoints = kind("io.k8s.api.core.v1.Endpoints", {
  metadata,
  subsets: opt(2, listOf(EndpointSubset), { listType: "atomic" }),
});
export interface Endpoints extends Infer<typeof Endpoints> {}

export const endpoints = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  shortNames: ["ep"],
  scope: "Namespaced",
  schema: Endpoints,
  strategy: {
    allowCreateOnUpdate: true,
    default(endpoints) {
      for (const { ports } of endpoints.subsets ?? []) {
        for (const port of ports ?? []) port.protocol ||= "TCP";
      }
    },
    validate: (object) => [...validateEndpoints(object)],
    validateUpdate: (object, { old }) => [...validateEndpoints(object, old)],
  },
  columns: [nameColumn, column("Endpoints", endpointsText, { description: "Addresses and ports behind the Service." }), ageColumn],
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  storage: { prefix: "services/endpoints" },
});

const endpointsShownMax = 3;

function endpointsText({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) =>
          addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)),
        ),
  );
  if (all.length === 0) return "<none>";
  const shown = all.slice(0, endpointsShownMax).join(",");
  const more = all.length - endpointsShownMax;
  return more > 0 ? `${shown} + ${more} more...` : shown;
}

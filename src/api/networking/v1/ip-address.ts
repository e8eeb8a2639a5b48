import { validateSegment } from "./reference-validation.ts";
import { checkPathSegment } from "#apimachinery/validation/names.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { validateIp } from "#apimachinery/validation/ip.ts";
import { invalid, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  immutableText,
  invalidTexts,
  validateDnsSubdomain,
} from "#apimachinery/validation/checks.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const ParentReference = struct("io.k8s.api.networking.v1.ParentReference", {
  group: opt(1, string),
  resource: opt(2, string, { required: true }),
  namespace: opt(3, string),
  name: opt(4, string, { required: true }),
});
export interface ParentReference extends Infer<typeof ParentReference> {}

export const IPAddressSpec = struct("io.k8s.api.networking.v1.IPAddressSpec", {
  parentRef: ptr(1, ParentReference, { required: true }),
});
export interface IPAddressSpec extends Infer<typeof IPAddressSpec> {}

export const IPAddress = kind("io.k8s.api.networking.v1.IPAddress", {
  metadata,
  spec: req(2, IPAddressSpec),
});
export interface IPAddress extends Infer<typeof IPAddress> {}

export const ipAddresses = defineResource<IPAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  shortNames: ["ip"],
  scope: "Cluster",
  schema: IPAddress,
  strategy: {
    nameRule: (name) => [...validateIp(name, "")].map(({ detail }) => detail),
    validate: (address) => [...validateIpAddress(address)],
    validateUpdate: (address, { old }) => [...validateIpAddressUpdate(address, old)],
  },
  columns: [
    nameColumn,
    column("ParentRef", parentText, { description: "The object that uses the address." }),
    { ...ageColumn, undeclared: true },
  ],
});

/** Source: pkg/apis/networking/validation/validation.go. */
function* validateIpAddress({ spec }: IPAddress): Findings {
  const path = "spec.parentRef";
  if (spec.parentRef === undefined) {
    yield required(path, "");
    return;
  }
  const { group = "", resource, name, namespace = "" } = spec.parentRef;
  if (group !== "") yield* validateDnsSubdomain(group, `${path}.group`);
  yield* validateSegment(resource, `${path}.resource`);
  yield* validateSegment(name, `${path}.name`);
  if (namespace === "") return;
  yield* invalidTexts(`${path}.namespace`, namespace, checkPathSegment(namespace));
}

function* validateIpAddressUpdate(address: IPAddress, old: IPAddress): Findings {
  const { parentRef } = address.spec;
  if (semanticEqual(parentRef, old.spec.parentRef)) return;
  const value = parentRef === undefined ? null : internalValue(ParentReference, parentRef);
  yield invalid("spec.parentRef", value, immutableText);
}

/** `services/namespace/name`. */
function parentText({ spec }: IPAddress): string {
  if (spec.parentRef === undefined) return "<none>";
  const { group, resource = "", namespace, name = "" } = spec.parentRef;
  const type = `${resource}${group ? `.${group}` : ""}`.toLowerCase();
  return `${type}/${namespace ? `${namespace}/` : ""}${name}`;
}

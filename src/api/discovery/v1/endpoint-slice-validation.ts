import { duplicate, invalid, required, tooMany } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsLabel,
  validateDnsSubdomain,
  validateImmutable,
  validateQualifiedName,
  validateRequiredSupported,
} from "#apimachinery/validation/checks.ts";
import { parseIp, validateLegacyIp, validateNonSpecialIp } from "#apimachinery/validation/ip.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
} from "#apimachinery/validation/names.ts";
import { protocols } from "#api/core/v1/container-validation.ts";
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from "./endpoint-slice.ts";

/** Source: pkg/apis/discovery/validation. */
const endpointsMax = 1000;
const addressesMax = 100;
const portsMax = 20_000;
const topologyLabelsMax = 16;
const hintsMax = 8;
const addressTypes = ["FQDN", "IPv4", "IPv6"];

export function* validateEndpointSlice(slice: EndpointSlice, old?: EndpointSlice): Findings {
  yield* validateRequiredSupported(slice.addressType, addressTypes, "addressType");
  yield* validatePorts(slice.ports ?? []);
  const known = (old?.endpoints ?? []).flatMap(({ addresses }) => addresses);
  if (slice.endpoints.length > endpointsMax) {
    yield tooMany("endpoints", slice.endpoints.length, endpointsMax);
  } else {
    for (const [i, endpoint] of slice.endpoints.entries()) {
      yield* validateEndpoint(endpoint, `endpoints[${i}]`, { type: slice.addressType, known });
    }
  }
  if (old !== undefined) {
    yield* validateImmutable(slice.addressType, old.addressType, "addressType");
  }
}

interface AddressRules {
  readonly type: string;
  readonly known: readonly string[];
}

function* validateEndpoint(endpoint: Endpoint, path: string, rules: AddressRules): Findings {
  const { addresses, deprecatedTopology: topology = {}, hints } = endpoint;
  const at = `${path}.addresses`;
  if (addresses.length === 0) yield required(at, "must contain at least 1 address");
  else if (addresses.length > addressesMax) yield tooMany(at, addresses.length, addressesMax);
  for (const [i, address] of addresses.entries()) {
    yield* validateAddress(address, `${at}[${i}]`, { ...rules, listPath: at });
  }
  if (endpoint.nodeName !== undefined)
    yield* validateDnsSubdomain(endpoint.nodeName, `${path}.nodeName`);
  const labels = Object.entries(topology);
  if (labels.length > topologyLabelsMax) {
    yield tooMany(`${path}.deprecatedTopology`, labels.length, topologyLabelsMax);
  }
  if (endpoint.hostname !== undefined)
    yield* validateDnsLabel(endpoint.hostname, `${path}.hostname`);
  if (hints !== undefined) yield* validateHints(hints, `${path}.hints`);
}

function* validateAddress(
  address: string,
  path: string,
  { type, known, listPath }: AddressRules & { listPath: string },
): Findings {
  if (type === "FQDN") yield* validateFqdn(address, path);
  if (type !== "IPv4" && type !== "IPv6") return;
  const errors = [...validateLegacyIp(address, path, known)];
  if (errors.length > 0) {
    yield* errors;
    return;
  }
  const version = parseIp(address)?.version;
  if (version !== (type === "IPv4" ? 4 : 6)) {
    yield invalid(listPath, address, `must be an ${type} address`);
    return;
  }
  yield* validateNonSpecialIp(address, path);
}

function* validateFqdn(name: string, path: string): Findings {
  if (name === "") {
    yield required(path, "");
    return;
  }
  const plain = name.endsWith(".") ? name.slice(0, -1) : name;
  const texts = checkDnsSubdomain(plain);
  if (texts.length > 0) {
    yield invalid(path, plain, texts.join(","));
    return;
  }
  const labels = plain.split(".");
  if (labels.length < 2) {
    yield invalid(path, plain, "should be a domain with at least two segments separated by dots");
    return;
  }
  for (const label of labels) {
    const faults = checkDnsLabel(label);
    if (faults.length > 0) yield invalid(path, label, faults.join(","));
  }
}

function* validateHints({ forZones = [], forNodes = [] }: EndpointHints, path: string): Findings {
  if (forZones.length > hintsMax) yield tooMany(`${path}.forZones`, forZones.length, hintsMax);
  const zones = new Set<string>();
  for (const [i, { name }] of forZones.entries()) {
    const at = `${path}.forZones[${i}].name`;
    if (zones.has(name)) yield duplicate(at, name);
    zones.add(name);
    yield* invalidTexts(at, name, checkLabelValue(name));
  }
  if (forNodes.length > hintsMax) yield tooMany(`${path}.forNodes`, forNodes.length, hintsMax);
  const nodes = new Set<string>();
  for (const [i, { name }] of forNodes.entries()) {
    const at = `${path}.forNodes[${i}].name`;
    if (nodes.has(name)) yield duplicate(at, name);
    nodes.add(name);
    yield* validateDnsSubdomain(name, at);
  }
}

function* validatePorts(ports: readonly EndpointPort[]): Findings {
  if (ports.length > portsMax) {
    yield tooMany("ports", ports.length, portsMax);
    return;
  }
  const names = new Set<string>();
  for (const [i, { name = "", protocol, appProtocol }] of ports.entries()) {
    const at = `ports[${i}]`;
    if (name !== "") yield* validateDnsLabel(name, `${at}.name`);
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
    yield* validateRequiredSupported(protocol, protocols, `${at}.protocol`);
    if (appProtocol !== undefined) yield* validateQualifiedName(appProtocol, `${at}.appProtocol`);
  }
}

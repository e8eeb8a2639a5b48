import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import { type Findings, invalidTexts } from "#apimachinery/validation/checks.ts";
import { cidrContains, parseCidr, validateLegacyCidr } from "#apimachinery/validation/ip.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { checkPortName, checkPortNumber } from "#apimachinery/validation/ports.ts";
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from "./network-policy.ts";

/** Source: pkg/apis/networking/validation/validation.go. */
const protocols = ["TCP", "UDP", "SCTP"];
const policyTypes = ["Ingress", "Egress"];

export function* validateNetworkPolicy({ spec }: NetworkPolicy, old?: NetworkPolicy): Findings {
  const oldCidrs = old === undefined ? [] : cidrsOf(old.spec);
  yield* validateLabelSelector(spec.podSelector, "spec.podSelector");
  for (const [i, { ports, from }] of (spec.ingress ?? []).entries()) {
    yield* validatePorts(ports, `spec.ingress[${i}].ports`);
    yield* validatePeers(from, `spec.ingress[${i}].from`, oldCidrs);
  }
  for (const [i, { ports, to }] of (spec.egress ?? []).entries()) {
    yield* validatePorts(ports, `spec.egress[${i}].ports`);
    yield* validatePeers(to, `spec.egress[${i}].to`, oldCidrs);
  }
  const { policyTypes: types = [] } = spec;
  if (types.length > policyTypes.length) {
    yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes");
    return;
  }
  for (const [i, type] of types.entries()) {
    if (!policyTypes.includes(type))
      yield notSupported(`spec.policyTypes[${i}]`, type, policyTypes);
  }
}

/** What an old policy named may stay. */
function cidrsOf({ ingress = [], egress = [] }: NetworkPolicySpec): string[] {
  const peers = [
    ...ingress.flatMap(({ from = [] }) => from),
    ...egress.flatMap(({ to = [] }) => to),
  ];
  return peers.flatMap(({ ipBlock }) =>
    ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])],
  );
}

function* validatePorts(ports: readonly NetworkPolicyPort[] | undefined, path: string): Findings {
  for (const [i, port] of (ports ?? []).entries()) yield* validatePort(port, `${path}[${i}]`);
}

function* validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): Findings {
  if (protocol !== undefined && !protocols.includes(protocol)) {
    yield notSupported(`${path}.protocol`, protocol, protocols);
  }
  const endPath = `${path}.endPort`;
  if (typeof port === "number") {
    yield* invalidTexts(`${path}.port`, port, checkPortNumber(port));
    if (endPort === undefined) return;
    if (endPort < port) yield invalid(endPath, port, "must be greater than or equal to `port`");
    yield* invalidTexts(endPath, endPort, checkPortNumber(endPort));
  } else if (port !== undefined) {
    if (endPort !== undefined) {
      yield invalid(endPath, endPort, "may not be specified when `port` is non-numeric");
    }
    yield* invalidTexts(`${path}.port`, port, checkPortName(port));
  } else if (endPort !== undefined) {
    yield invalid(endPath, endPort, "may not be specified when `port` is not specified");
  }
}

function* validatePeers(
  peers: readonly NetworkPolicyPeer[] | undefined,
  path: string,
  oldCidrs: readonly string[],
): Findings {
  for (const [i, { podSelector, namespaceSelector, ipBlock }] of (peers ?? []).entries()) {
    const at = `${path}[${i}]`;
    const set = [podSelector, namespaceSelector, ipBlock].filter((peer) => peer !== undefined);
    yield* validateLabelSelector(podSelector, `${at}.podSelector`);
    yield* validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`);
    if (ipBlock !== undefined) yield* validateBlock(ipBlock, `${at}.ipBlock`, oldCidrs);
    if (set.length === 0) yield required(at, "must specify a peer");
    else if (set.length > 1 && ipBlock !== undefined) {
      yield forbidden(at, "may not specify both ipBlock and another peer");
    }
  }
}

function* validateBlock(
  { cidr: text, except = [] }: IPBlock,
  path: string,
  oldCidrs: readonly string[],
): Findings {
  if (text === "") {
    yield required(`${path}.cidr`, "");
    return;
  }
  yield* validateLegacyCidr(text, `${path}.cidr`, oldCidrs);
  const cidr = parseCidr(text);
  if (cidr === undefined) return;
  for (const [i, exception] of except.entries()) {
    const at = `${path}.except[${i}]`;
    yield* validateLegacyCidr(exception, at, oldCidrs);
    const inner = parseCidr(exception);
    if (inner === undefined) continue;
    const within = cidrContains(cidr, { ...inner.address, value: inner.network });
    if (!within || inner.prefixLength <= cidr.prefixLength) {
      yield invalid(at, exception, "must be a strict subset of `cidr`");
    }
  }
}

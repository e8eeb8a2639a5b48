import { duplicate, forbidden, invalid, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  sortedEntries,
  validateLabelName,
  validateRequiredSupported,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { isDualStackCidrs, validateLegacyCidr } from "#apimachinery/validation/ip.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
} from "#apimachinery/validation/names.ts";
import { checkConfigMapKey } from "#apimachinery/validation/syntax.ts";
import { type Node, Taint } from "./node.ts";
import { type ConfigMapNodeConfigSource, NodeAddress, NodeConfigSource } from "./node-status.ts";
import { taintEffects } from "./pod-scheduling-validation.ts";
import { validateResourceQuantity } from "./resource-name.ts";

/** Source: ValidateNode in pkg/apis/core/validation. */
const avoidPodsAnnotation = "scheduler.alpha.kubernetes.io/preferAvoidPods";

export function* validateNode(node: Node): Findings {
  yield* validateAvoidPods(node.metadata.annotations?.[avoidPodsAnnotation]);
  yield* validateTaints(node.spec.taints ?? [], "metadata.taints");
  yield* validateNodeResources(node);
  yield* validatePodCidrs(node.spec.podCIDRs ?? []);
}

function* validatePodCidrs(cidrs: readonly string[]): Findings {
  const path = "spec.podCIDRs";
  for (const [i, cidr] of cidrs.entries()) yield* validateLegacyCidr(cidr, `${path}[${i}]`);
  if (cidrs.length < 2) return;
  if (!isDualStackCidrs(cidrs) || cidrs.length > 2) {
    yield invalid(path, cidrs, "may specify no more than one CIDR for each IP family");
  }
  for (const [i, cidr] of cidrs.entries()) {
    if (cidrs.indexOf(cidr) < i) yield duplicate(`${path}[${i}]`, cidr);
  }
}

/** Findings of `spec.taints` have upstream's path. */
function* validateTaints(taints: readonly Taint[], path: string): Findings {
  const seen = new Set<string>();
  for (const [i, taint] of taints.entries()) {
    const at = `${path}[${i}]`;
    yield* validateLabelName(taint.key, `${at}.key`);
    const texts = checkLabelValue(taint.value ?? "");
    if (texts.length > 0) yield invalid(`${at}.value`, taint.value, texts.join(";"));
    yield* validateRequiredSupported(taint.effect, taintEffects, `${at}.effect`);
    const key = `${taint.effect}/${taint.key}`;
    if (seen.has(key)) {
      const detail = "taints must be unique by key and effect pair";
      yield { ...duplicate(at, internalValue(Taint, taint)), detail };
    }
    seen.add(key);
  }
}

function* validateNodeResources({ status = {} }: Node): Findings {
  for (const field of ["capacity", "allocatable"] as const) {
    for (const [name, quantity] of sortedEntries(status[field])) {
      yield* validateResourceQuantity(name, quantity, `status.${field}.${name}`);
    }
  }
}

function* validateAvoidPods(text: string | undefined): Findings {
  if (!text) return;
  try {
    JSON.parse(text);
  } catch {
    const [, first = ""] = text.trim();
    const detail = /^\{/.test(text.trim())
      ? `invalid character '${first}' looking for beginning of object key string`
      : `invalid character '${text.trim()[0] ?? ""}' looking for beginning of value`;
    yield invalid("metadata.annotations.AvoidPods", avoidPodsAnnotation, detail);
  }
}

export function* validateNodeUpdate(node: Node, old: Node): Findings {
  yield* validateAvoidPods(node.metadata.annotations?.[avoidPodsAnnotation]);
  yield* validateNodeResources(node);
  const addresses = new Set<string>();
  for (const [i, address] of (node.status?.addresses ?? []).entries()) {
    const key = `${address.type}/${address.address}`;
    if (addresses.has(key)) {
      yield duplicate(`status.addresses[${i}]`, internalValue(NodeAddress, address));
    }
    addresses.add(key);
  }
  const cidrs = node.spec.podCIDRs ?? [];
  const before = old.spec.podCIDRs ?? [];
  if (before.length > 0) {
    const text = 'node updates may not change podCIDR except from "" to valid';
    if (cidrs.length !== before.length) yield forbidden("spec.podCIDRs", text);
    else {
      for (const [i, cidr] of before.entries()) {
        if (cidr !== cidrs[i]) yield forbidden("spec.podCIDRs", text);
      }
    }
  }
  const providerId = old.spec.providerID ?? "";
  if (providerId !== "" && providerId !== node.spec.providerID) {
    const text = 'node updates may not change providerID except from "" to valid';
    yield forbidden("spec.providerID", text);
  }
  yield* validateConfigSources(node);
  yield* validateTaints(node.spec.taints ?? [], "metadata.taints");
  if ((node.spec.externalID ?? "") !== (old.spec.externalID ?? "")) {
    yield forbidden("spec.externalID", "may not be updated");
  }
}

/** Dynamic kubelet configuration is gone; its fields are still checked. */
function* validateConfigSources({ spec, status }: Node): Findings {
  yield* validateConfigSource(spec.configSource, "spec.configSource", false);
  for (const field of ["assigned", "active", "lastKnownGood"] as const) {
    yield* validateConfigSource(status?.config?.[field], `status.config.${field}`, true);
  }
}

function* validateConfigSource(
  source: NodeConfigSource | undefined,
  path: string,
  reported: boolean,
): Findings {
  if (source === undefined) return;
  if (source.configMap === undefined) {
    const shown = internalValue(NodeConfigSource, source);
    yield invalid(path, shown, "exactly one reference subfield must be non-nil");
    return;
  }
  const at = `${path}.configMap`;
  for (const field of ["uid", "resourceVersion"] as const) {
    const given = Boolean(source.configMap[field]);
    if (reported && !given) yield required(`${at}.${field}`, `${field} must be set in status`);
    if (!reported && given) yield forbidden(`${at}.${field}`, `${field} must not be set in spec`);
  }
  yield* validateConfigMapSource(source.configMap, at);
}

function* validateConfigMapSource(source: ConfigMapNodeConfigSource, path: string): Findings {
  const checks = {
    namespace: checkDnsLabel,
    name: checkDnsSubdomain,
    kubeletConfigKey: checkConfigMapKey,
  };
  for (const [field, check] of Object.entries(checks) as [
    keyof typeof checks,
    typeof checkDnsLabel,
  ][]) {
    const value = source[field];
    if (value === "") yield required(`${path}.${field}`, `${field} must be set`);
    else yield* invalidTexts(`${path}.${field}`, value, check(value));
  }
}

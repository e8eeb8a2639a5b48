import { invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsLabel,
  validateDnsSubdomain,
} from "#apimachinery/validation/checks.ts";
import { parseIp, validateLegacyIp } from "#apimachinery/validation/ip.ts";
import { checkPortName, checkPortNumber } from "#apimachinery/validation/ports.ts";
import { checkWildcardDnsSubdomain } from "#apimachinery/validation/syntax.ts";
import type { HTTPIngressPath, Ingress, IngressBackend, IngressServiceBackend } from "./ingress.ts";
import { validateReference } from "./reference-validation.ts";

/** Source: pkg/apis/networking/validation/validation.go. */
export const classAnnotation = "kubernetes.io/ingress.class";
const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const badSequences = ["//", "/./", "/../", "%2f", "%2F"];
const badSuffixes = ["/..", "/."];

export function* validateIngress({ spec }: Ingress): Findings {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec;
  if (rules.length === 0 && defaultBackend === undefined) {
    const detail = "either `defaultBackend` or `rules` must be specified";
    yield invalid("spec", null, detail);
  }
  if (defaultBackend !== undefined) yield* validateBackend(defaultBackend, "spec.defaultBackend");
  for (const [i, { host = "", http }] of rules.entries()) {
    const path = `spec.rules[${i}]`;
    yield* validateHost(host, `${path}.host`);
    if (http === undefined) continue;
    if (http.paths.length === 0) yield required(`${path}.http.paths`, "");
    for (const [j, item] of http.paths.entries())
      yield* validatePath(item, `${path}.http.paths[${j}]`);
  }
  for (const [i, { hosts = [], secretName = "" }] of tls.entries()) {
    const path = `spec.tls[${i}]`;
    for (const [j, host] of hosts.entries()) yield* validateHostName(host, `${path}.hosts[${j}]`);
    if (secretName !== "") yield* validateDnsSubdomain(secretName, `${path}.secretName`);
  }
  if (ingressClassName !== undefined) {
    yield* validateDnsSubdomain(ingressClassName, "spec.ingressClassName");
  }
}

export function* validateNewIngress(ingress: Ingress): Findings {
  const annotated = ingress.metadata.annotations?.[classAnnotation];
  const { ingressClassName: named } = ingress.spec;
  if (annotated !== undefined && named !== undefined && annotated !== named) {
    const detail = "must match `ingressClassName` when both are specified";
    yield invalid(`annotations.${classAnnotation}`, annotated, detail);
  }
  yield* validateIngress(ingress);
}

function* validateHost(host: string, path: string): Findings {
  if (host === "") return;
  if (parseIp(host) !== undefined)
    yield invalid(path, host, "must be a DNS name, not an IP address");
  else yield* validateHostName(host, path);
}

function* validateHostName(host: string, path: string): Findings {
  if (host.includes("*")) yield* invalidTexts(path, host, checkWildcardDnsSubdomain(host));
  else yield* validateDnsSubdomain(host, path);
}

function* validatePath(item: HTTPIngressPath, path: string): Findings {
  const { pathType, path: url = "", backend } = item;
  if (pathType === undefined) {
    yield required(`${path}.pathType`, "pathType must be specified");
    return;
  }
  const at = `${path}.path`;
  if (!pathTypes.includes(pathType)) yield notSupported(`${path}.pathType`, pathType, pathTypes);
  else if (!url.startsWith("/") && (url !== "" || pathType !== "ImplementationSpecific")) {
    yield invalid(at, url, "must be an absolute path");
  }
  if (pathType === "Exact" || pathType === "Prefix") {
    for (const bad of badSequences) {
      if (url.includes(bad)) yield invalid(at, url, `must not contain '${bad}'`);
    }
    for (const bad of badSuffixes) {
      if (url.endsWith(bad)) yield invalid(at, url, `cannot end with '${bad}'`);
    }
  }
  yield* validateBackend(backend, `${path}.backend`);
}

function* validateBackend({ resource, service }: IngressBackend, path: string): Findings {
  if (resource !== undefined && service !== undefined) {
    yield invalid(path, "", "cannot set both resource and service backends");
  } else if (resource !== undefined) {
    yield* validateReference(resource, `${path}.resource`);
  } else if (service !== undefined) {
    yield* validateServiceBackend(service, path);
  } else {
    yield invalid(path, "", "resource or service backend is required");
  }
}

function* validateServiceBackend({ name, port }: IngressServiceBackend, path: string): Findings {
  if (name === "") yield required(`${path}.service.name`, "");
  else yield* validateDnsLabel(name, `${path}.service.name`);
  const { name: portName = "", number = 0 } = port ?? {};
  const at = `${path}.service.port`;
  if (portName !== "" && number !== 0) {
    yield invalid(path, "", "cannot set both port name & port number");
  } else if (portName !== "") {
    yield* invalidTexts(`${at}.name`, portName, checkPortName(portName));
  } else if (number !== 0) {
    yield* invalidTexts(`${at}.number`, number, checkPortNumber(number));
  } else {
    yield required(path, "port name or number is required");
  }
}

export function* validateIngressStatus({ status }: Ingress, old: Ingress): Findings {
  const known = (old.status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  for (const [i, { ip = "", hostname = "" }] of (status?.loadBalancer?.ingress ?? []).entries()) {
    const path = `status.loadBalancer.ingress[${i}]`;
    if (ip !== "") yield* validateLegacyIp(ip, `${path}.ip`, known);
    if (hostname === "") continue;
    yield* validateDnsSubdomain(hostname, `${path}.hostname`);
    if (parseIp(hostname) !== undefined) {
      yield invalid(`${path}.hostname`, hostname, "must be a DNS name, not an IP address");
    }
  }
}

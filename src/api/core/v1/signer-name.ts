import { invalid, required, tooLong } from "#apimachinery/field-error.ts";
import { byteLengthOf, type Findings } from "#apimachinery/validation/checks.ts";
import { checkDnsSubdomain, checkName } from "#apimachinery/validation/names.ts";

/** `domain/path` of whoever signs certificates. Source: pkg/apis/core/validation/names.go. */
const signerPathPattern = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const domainLengthMax = 253;
const pathLengthMax = 253 + 1 + 63 - 1;
const signerNameLengthMax = 571;

export function* validateSignerName(signerName: string, path: string): Findings {
  if (signerName === "") {
    yield required(path, "");
    return;
  }
  const segments = signerName.split("/");
  if (segments.length !== 2) {
    const detail =
      "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    yield invalid(path, signerName, detail);
    return;
  }
  const [domain = "", name = ""] = segments;
  for (const text of checkDnsSubdomain(domain)) {
    yield invalid(path, domain, `validating label "${domain}": ${text}`);
  }
  if (!domain.includes(".")) {
    yield invalid(path, domain, "should be a domain with at least two segments separated by dots");
  }
  if (name === "") {
    yield invalid(path, name, 'validating label "": must be non-empty');
  } else if (!signerPathPattern.test(name)) {
    for (const text of checkDnsSubdomain(name)) {
      yield invalid(path, name, `validating label "${name}": ${text}`);
    }
  }
  if (byteLengthOf(signerName) > signerNameLengthMax) {
    yield tooLong(path, domainLengthMax + pathLengthMax + 2);
  }
}

/** Bundles of a signer are named `signer:domain:name`; others must have no colon. */
export function checkTrustBundleName(name: string, signerName?: string): string[] {
  const signer = signerName ?? signerOfBundleName(name);
  if (signer === undefined || signer === "") {
    if (name.includes(":")) {
      return ['ClusterTrustBundle without signer name must not have ":" in its name'];
    }
    return checkName("dnsSubdomain", name, false);
  }
  const prefix = `${signer.replaceAll("/", ":")}:`;
  if (!name.startsWith(prefix)) {
    return [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`];
  }
  return checkName("dnsSubdomain", name.slice(prefix.length), false);
}

function signerOfBundleName(name: string): string | undefined {
  const end = name.lastIndexOf(":");
  return end < 0 ? undefined : name.slice(0, end).replaceAll(":", "/");
}

import { forbidden, invalid } from "#apimachinery/field-error.ts";
import { byteLengthOf, type Findings, invalidTexts } from "#apimachinery/validation/checks.ts";
import { checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import type { PodRules } from "./pod-rules.ts";
import type { PodSpec } from "./pod-spec.ts";
import type { SecurityContext, WindowsSecurityContextOptions } from "./security-context.ts";

/** Options of Windows containers; other systems ignore them. */
const credentialSpecKibMax = 64;
const domainLengthMax = 256;
const userLengthMax = 104;
const netBiosPattern = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsLabel = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const dnsPattern = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`);

export function* validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  path: string,
): Findings {
  if (options === undefined) return;
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec } = options;
  if (specName !== undefined) {
    yield* invalidTexts(`${path}.gmsaCredentialSpecName`, specName, checkDnsSubdomain(specName));
  }
  if (spec === "") {
    const detail = "gmsaCredentialSpec cannot be an empty string";
    yield invalid(`${path}.gmsaCredentialSpec`, spec, detail);
  } else if (spec !== undefined && byteLengthOf(spec) > credentialSpecKibMax * 1024) {
    const detail = `gmsaCredentialSpec size must be under ${credentialSpecKibMax} KiB`;
    yield invalid(`${path}.gmsaCredentialSpec`, spec, detail);
  }
  const name = options.runAsUserName;
  if (name === undefined) return;
  yield* invalidTexts(
    `${path}.runAsUserName`,
    name,
    userNameFaults(name).map((fault) => `runAsUserName${fault}`),
  );
}

/** `DOMAIN\user`. */
function userNameFaults(name: string): string[] {
  if (name === "") return [" cannot be an empty string"];
  if (/\p{Cc}/u.test(name)) return [" cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return [" cannot contain more than one backslash"];
  const domain = parts.length === 2 ? (parts[0] ?? "") : undefined;
  const user = parts.at(-1) ?? "";
  const faults: string[] = [];
  if (domain !== undefined && byteLengthOf(domain) >= domainLengthMax) {
    faults.push(`'s Domain length must be under ${domainLengthMax} characters`);
  }
  if (domain !== undefined && !netBiosPattern.test(domain) && !dnsPattern.test(domain)) {
    faults.push("'s Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === "") faults.push("'s User cannot be empty");
  else if (byteLengthOf(user) > userLengthMax) {
    faults.push(`'s User length must not be longer than ${userLengthMax} characters`);
  }
  if (/^[. ]+$/.test(user)) faults.push("'s User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    faults.push("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
  return faults;
}

interface NamedContext {
  readonly path: string;
  readonly context: SecurityContext | undefined;
}

/** A Pod is all of host processes, in the host's network, or has none. */
export function* validateHostProcess(
  spec: PodSpec,
  path: string,
  { containers, rules }: { containers: readonly NamedContext[]; rules: PodRules },
): Findings {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let count = 0;
  for (const { path: at, context } of containers) {
    const own = context?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${String(ofPod)}`;
      yield invalid(`${at}.windowsOptions.hostProcess`, own, detail);
    }
    if (own ?? ofPod) count++;
  }
  if (count === 0) return;
  if (count !== containers.length) {
    const detail =
      "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    yield invalid(path, "", detail);
  }
  if (spec.hostNetwork !== true) {
    const detail = "hostNetwork must be true if pod contains any hostProcess containers";
    yield invalid(`${path}.hostNetwork`, false, detail);
  }
  if (rules.allowPrivileged === false) {
    yield forbidden(path, "hostProcess containers are disallowed by cluster policy");
  }
}

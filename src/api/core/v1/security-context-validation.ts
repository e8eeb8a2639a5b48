import {
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from "#apimachinery/field-error.ts";
import {
  byteLengthOf,
  type Findings,
  invalidTexts,
  validateRequired,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { checkUnixId } from "#apimachinery/validation/syntax.ts";
import type { PodRules } from "./pod-rules.ts";
import type { PodSpec } from "./pod-spec.ts";
import {
  type AppArmorProfile,
  type PodSecurityContext,
  SeccompProfile,
  SecurityContext,
  type Sysctl,
} from "./security-context.ts";
import { validateDescendingPath } from "./volume-path-validation.ts";
import { validateWindowsOptions } from "./windows-options-validation.ts";

/** What a container or Pod may do to its host. Source: pkg/apis/core/validation. */
function* validateId(id: number | undefined, path: string): Findings {
  if (id !== undefined) yield* invalidTexts(path, id, checkUnixId(id));
}

interface Privileges {
  /** The Pod has the host's user namespace. */
  readonly hostUsers: boolean;
  readonly allowPrivileged: boolean;
}

export function* validateSecurityContext(
  context: SecurityContext | undefined,
  path: string,
  { hostUsers, allowPrivileged }: Privileges,
): Findings {
  if (context === undefined) return;
  if (context.privileged === true && !allowPrivileged) {
    yield forbidden(`${path}.privileged`, "disallowed by cluster policy");
  }
  yield* validateId(context.runAsUser, `${path}.runAsUser`);
  yield* validateId(context.runAsGroup, `${path}.runAsGroup`);
  if (context.procMount !== undefined) {
    yield* validateSupported(context.procMount, ["Default", "Unmasked"], `${path}.procMount`);
    if (hostUsers && context.procMount === "Unmasked") {
      const detail = "`hostUsers` must be false to use `Unmasked`";
      yield invalid(`${path}.procMount`, context.procMount, detail);
    }
  }
  yield* validateSeccomp(context.seccompProfile, `${path}.seccompProfile`);
  if (context.allowPrivilegeEscalation === false) {
    const shown = internalValue(SecurityContext, context);
    if (context.privileged === true) {
      const detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
      yield invalid(path, shown, detail);
    }
    for (const capability of context.capabilities?.add ?? []) {
      if (capability !== "CAP_SYS_ADMIN") continue;
      const detail =
        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
      yield invalid(path, shown, detail);
    }
  }
  yield* validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`);
  yield* validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`);
}

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

function* validateSeccomp(profile: SeccompProfile | undefined, path: string): Findings {
  if (profile === undefined) return;
  if (profile.type === "") {
    yield required(`${path}.type`, "type is required when seccompProfile is set");
  } else yield* validateSupported(profile.type, profileTypes, `${path}.type`);
  const at = `${path}.localhostProfile`;
  if (profile.type !== "Localhost") {
    if (profile.localhostProfile === undefined) return;
    const shown = internalValue(SeccompProfile, profile);
    yield invalid(at, shown, "can only be set when seccomp type is Localhost");
  } else if (profile.localhostProfile === undefined) {
    yield required(at, "must be set when seccomp type is Localhost");
  } else yield* validateDescendingPath(profile.localhostProfile, at);
}

const localhostProfileLengthMax = 4095;

function* validateAppArmor(profile: AppArmorProfile | undefined, path: string): Findings {
  if (profile === undefined) return;
  const at = `${path}.localhostProfile`;
  const name = profile.localhostProfile;
  if (profile.type === "") {
    yield required(`${path}.type`, "type is required when appArmorProfile is set");
  } else if (!profileTypes.includes(profile.type)) {
    yield notSupported(`${path}.type`, profile.type, profileTypes);
  } else if (profile.type !== "Localhost") {
    if (name !== undefined) {
      yield invalid(at, name, "can only be set when AppArmor type is Localhost");
    }
  } else if (name === undefined) yield required(at, "must be set when AppArmor type is Localhost");
  else {
    if (name.trim() !== name) yield invalid(at, name, "must not be padded with whitespace");
    else if (name === "") yield required(at, "must be set when AppArmor type is Localhost");
    if (byteLengthOf(name) > localhostProfileLengthMax)
      yield tooLong(at, localhostProfileLengthMax);
  }
}

export function* validatePodSecurityContext(
  spec: PodSpec,
  path: string,
  rules: PodRules,
): Findings {
  const context = spec.securityContext;
  if (context === undefined) return;
  yield* validateId(context.fsGroup, `${path}.fsGroup`);
  yield* validateId(context.runAsUser, `${path}.runAsUser`);
  yield* validateId(context.runAsGroup, `${path}.runAsGroup`);
  for (const [i, id] of (context.supplementalGroups ?? []).entries()) {
    yield* validateId(id, `${path}.supplementalGroups[${i}]`);
  }
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const detail = "ShareProcessNamespace and HostPID cannot both be enabled";
    yield invalid(`${path}.shareProcessNamespace`, true, detail);
  }
  yield* validateSysctls(context.sysctls ?? [], `${path}.sysctls`, spec);
  yield* validatePolicies(context, path, rules);
}

function* validatePolicies(
  context: PodSecurityContext,
  path: string,
  { features }: PodRules,
): Findings {
  const changePolicies = ["Always", "OnRootMismatch"];
  yield* validateSupported(
    context.fsGroupChangePolicy,
    changePolicies,
    `${path}.fsGroupChangePolicy`,
  );
  yield* validateSeccomp(context.seccompProfile, `${path}.seccompProfile`);
  yield* validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`);
  yield* validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`);
  yield* validateSupported(
    context.supplementalGroupsPolicy,
    ["Merge", "Strict"],
    `${path}.supplementalGroupsPolicy`,
  );
  yield* validateSupported(
    context.seLinuxChangePolicy,
    features.enabled("SELinuxMount") ? ["MountOption", "Recursive"] : ["Recursive"],
    `${path}.seLinuxChangePolicy`,
  );
}

const sysctlLengthMax = 253;
const sysctlSegment = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const sysctlFormat = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`;
const sysctlPattern = new RegExp(sysctlFormat);

function* validateSysctls(sysctls: readonly Sysctl[], path: string, spec: PodSpec): Findings {
  const names = new Set<string>();
  for (const [i, { name }] of sysctls.entries()) {
    const at = `${path}[${i}].name`;
    if (name === "") yield required(at, "");
    else if (byteLengthOf(name) > sysctlLengthMax || !sysctlPattern.test(name)) {
      const detail = `must have at most ${sysctlLengthMax} characters and match regex ${sysctlFormat}`;
      yield invalid(at, name, detail);
    } else if (names.has(name)) yield duplicate(at, name);
    if (spec.hostNetwork === true && isNetSysctl(name)) {
      yield invalid(at, name, "may not be specified when 'hostNetwork' is true");
    } else if (spec.hostIPC === true && isIpcSysctl(name)) {
      yield invalid(at, name, "may not be specified when 'hostIPC' is true");
    }
    names.add(name);
  }
}

/** Sysctls of a namespace of the kernel; `/` may stand for the first separator. */
function isNetSysctl(name: string): boolean {
  return dotted(name).startsWith("net.");
}

function isIpcSysctl(name: string): boolean {
  const key = dotted(name);
  return (
    key === "kernel.sem" ||
    ["kernel.shm", "kernel.msg", "fs.mqueue."].some((p) => key.startsWith(p))
  );
}

function dotted(name: string): string {
  const first = name.search(/[./]/);
  return first >= 0 && name[first] === "/"
    ? name.replace(/[./]/g, (char) => (char === "/" ? "." : "/"))
    : name;
}

/** The host's other namespaces go with its users only. */
export function* validateHostUsers(spec: PodSpec, path: string): Findings {
  if (spec.hostUsers !== false) return;
  const text = "when `hostUsers` is false";
  for (const field of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    const shown = field === "hostNetwork" ? field : field.replace("host", "Host");
    if (spec[field] === true) yield forbidden(`${path}.${shown}`, text);
  }
}

const windowsOnly = "windows options cannot be set for a linux pod";

interface NamedContext {
  readonly path: string;
  readonly context: SecurityContext | undefined;
}

export function* validateOs(
  spec: PodSpec,
  path: string,
  containers: readonly NamedContext[],
): Findings {
  if (spec.os === undefined) return;
  const { name } = spec.os;
  if (name === "linux") {
    if (spec.securityContext?.windowsOptions !== undefined) {
      yield forbidden(`${path}.securityContext.windowsOptions`, windowsOnly);
    }
    for (const { path: at, context } of containers) {
      if (context?.windowsOptions !== undefined)
        yield forbidden(`${at}.windowsOptions`, windowsOnly);
    }
  } else if (name === "windows") yield* validateWindowsPod(spec, path, containers);
  else if (name === "") yield* validateRequired(name, `${path}.os.name`);
  else yield notSupported(`${path}.os`, name, ["linux", "windows"]);
}

const linuxText = "cannot be set for a windows pod";
const linuxContainerFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

function* validateWindowsPod(
  spec: PodSpec,
  path: string,
  containers: readonly NamedContext[],
): Findings {
  const context = spec.securityContext ?? {};
  const own = `${path}.securityContext`;
  const fields: [path: string, value: unknown][] = [
    [`${own}.appArmorProfile`, context.appArmorProfile],
    [`${own}.seLinuxOptions`, context.seLinuxOptions],
    [`${path}.hostUsers`, spec.hostUsers],
    [`${path}.hostPID`, spec.hostPID],
    [`${path}.hostIPC`, spec.hostIPC],
    [`${own}.seccompProfile`, context.seccompProfile],
    [`${own}.fsGroup`, context.fsGroup],
    [`${own}.fsGroupChangePolicy`, context.fsGroupChangePolicy],
    [`${own}.sysctls`, context.sysctls?.length ? true : undefined],
    [`${path}.shareProcessNamespace`, spec.shareProcessNamespace],
    [`${own}.runAsUser`, context.runAsUser],
    [`${own}.runAsGroup`, context.runAsGroup],
    [`${own}.supplementalGroups`, context.supplementalGroups],
    [`${own}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy],
    [`${own}.seLinuxChangePolicy`, context.seLinuxChangePolicy],
  ];
  for (const [at, value] of fields) if (value !== undefined) yield forbidden(at, linuxText);
  for (const { path: at, context: container } of containers) {
    for (const field of linuxContainerFields) {
      if (container?.[field] !== undefined) yield forbidden(`${at}.${field}`, linuxText);
    }
  }
}

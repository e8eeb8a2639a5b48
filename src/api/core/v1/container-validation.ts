import {
  duplicate,
  forbidden,
  invalid,
  notFoundField,
  required,
} from "#apimachinery/field-error.ts";
import {
  type Findings,
  forbidSet,
  invalidTexts,
  validateDnsLabel,
  validateRequired,
  validateRequiredSupported,
} from "#apimachinery/validation/checks.ts";
import { checkPortName, checkPortNumber } from "#apimachinery/validation/ports.ts";
import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EphemeralContainer,
} from "./container.ts";
import { validateRestartRules } from "./container-restart-validation.ts";
import { validateEnv, validateEnvFrom } from "./env-validation.ts";
import {
  validateLifecycle,
  validateLivenessProbe,
  validateReadinessProbe,
} from "./probe-validation.ts";
import type { PodRules } from "./pod-rules.ts";
import type { PodSpec } from "./pod-spec.ts";
import { isSidecar } from "./pod-resources.ts";
import { validateContainerResources } from "./resource-requirements-validation.ts";
import { validateSecurityContext } from "./security-context-validation.ts";
import type { Volume } from "./volume.ts";
import { validateVolumeDevices, validateVolumeMounts } from "./volume-mount-validation.ts";

/** What containers of a Pod share. */
export interface ContainerScope {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claimNames: ReadonlySet<string>;
  readonly rules: PodRules;
}

export const protocols = ["SCTP", "TCP", "UDP"];
const pullPolicies = ["Always", "IfNotPresent", "Never"];

export function* validateContainers(path: string, scope: ContainerScope): Findings {
  const { containers } = scope.spec;
  if (containers.length === 0) {
    yield required(path, "");
    return;
  }
  const names = new Set<string>();
  for (const [i, container] of containers.entries()) {
    const at = `${path}[${i}]`;
    yield* validateCommon(container, at, scope);
    if (names.has(container.name)) yield duplicate(`${at}.name`, container.name);
    names.add(container.name);
    yield* validateRunning(container, at, scope);
    yield* validateRestartRules(container, at);
  }
  yield* validateUniqueHostPorts(containers, path);
}

/** Hooks and probes: of containers that run beside each other. */
function* validateRunning(container: Container, path: string, { spec }: ContainerScope): Findings {
  const graceSeconds = spec.terminationGracePeriodSeconds;
  yield* validateLifecycle(container.lifecycle, `${path}.lifecycle`, graceSeconds);
  yield* validateLivenessProbe(container.livenessProbe, `${path}.livenessProbe`);
  yield* validateReadinessProbe(container.readinessProbe, `${path}.readinessProbe`);
  yield* validateLivenessProbe(container.startupProbe, `${path}.startupProbe`);
  const signal = container.lifecycle?.stopSignal;
  if (signal !== undefined && spec.os === undefined) {
    yield forbidden(
      `${path}.lifecycle.stopSignal`,
      "may not be set for containers with empty `spec.os.name`",
    );
  }
}

const sidecarOnly = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];

export function* validateInitContainers(path: string, scope: ContainerScope): Findings {
  const names = new Set(scope.spec.containers.map(({ name }) => name));
  for (const [i, container] of (scope.spec.initContainers ?? []).entries()) {
    const at = `${path}[${i}]`;
    yield* validateCommon(container, at, scope);
    yield* validateRestartRules(container, at);
    if (names.has(container.name)) yield duplicate(`${at}.name`, container.name);
    else if (container.name !== "") names.add(container.name);
    yield* validateUniqueHostPorts([container], path);
    if (isSidecar(container)) yield* validateRunning(container, at, scope);
    else {
      const text = "may not be set for init containers without restartPolicy=Always";
      yield* forbidSet(container, sidecarOnly, { path: at, text });
    }
  }
}

const ephemeralForbidden = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
];

export function* validateEphemeralContainers(path: string, scope: ContainerScope): Findings {
  const { containers, initContainers = [], ephemeralContainers = [] } = scope.spec;
  const others = new Set([...containers, ...initContainers].map(({ name }) => name));
  const names = new Set(others);
  const text = "cannot be set for an Ephemeral Container";
  for (const [i, container] of ephemeralContainers.entries()) {
    const at = `${path}[${i}]`;
    yield* validateCommon(asContainer(container), at, scope);
    yield* validateImageSpace(container.image ?? "", at);
    if (names.has(container.name)) yield duplicate(`${at}.name`, container.name);
    names.add(container.name);
    const target = container.targetContainerName ?? "";
    if (target !== "" && !others.has(target))
      yield notFoundField(`${at}.targetContainerName`, target);
    yield* forbidSet(container, ephemeralForbidden, { path: at, text });
    for (const [j, mount] of (container.volumeMounts ?? []).entries()) {
      yield* forbidSet(mount, ["subPath", "subPathExpr"], {
        path: `${at}.volumeMounts[${j}]`,
        text,
      });
    }
  }
}

function asContainer(container: EphemeralContainer): Container {
  const { targetContainerName: _, ...common } = container;
  return common;
}

export function* validateImageSpace(image: string, path: string): Findings {
  if (image.trim() !== image) {
    yield invalid(`${path}.image`, image, "must not have leading or trailing whitespace");
  }
}

function* validateCommon(container: Container, path: string, scope: ContainerScope): Findings {
  if (container.name === "") yield required(`${path}.name`, "");
  else yield* validateDnsLabel(container.name, `${path}.name`);
  yield* validateRequired(container.image, `${path}.image`);
  yield* validateRequiredSupported(
    container.terminationMessagePolicy,
    ["File", "FallbackToLogsOnError"],
    `${path}.terminationMessagePolicy`,
  );
  yield* validatePorts(container.ports ?? [], `${path}.ports`);
  yield* validateEnv(container.env ?? [], `${path}.env`, scope.volumes);
  yield* validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`);
  yield* validateVolumeMounts(container, `${path}.volumeMounts`, scope.volumes);
  yield* validateVolumeDevices(container, `${path}.volumeDevices`, scope.volumes);
  yield* validateRequiredSupported(
    container.imagePullPolicy,
    pullPolicies,
    `${path}.imagePullPolicy`,
  );
  yield* validateContainerResources(container.resources, `${path}.resources`, scope.claimNames);
  yield* validateResizePolicies(container, `${path}.resizePolicy`, scope.spec);
  yield* validateSecurityContext(container.securityContext, `${path}.securityContext`, {
    hostUsers: scope.spec.hostUsers !== false,
    allowPrivileged: scope.rules.allowPrivileged !== false,
  });
}

function* validatePorts(ports: readonly ContainerPort[], path: string): Findings {
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    const at = `${path}[${i}]`;
    const { name = "", hostPort = 0 } = port;
    if (name !== "") {
      const texts = checkPortName(name);
      yield* invalidTexts(`${at}.name`, name, texts);
      if (texts.length === 0 && names.has(name)) yield duplicate(`${at}.name`, name);
      names.add(name);
    }
    if (port.containerPort === 0) yield required(`${at}.containerPort`, "");
    else {
      const texts = checkPortNumber(port.containerPort);
      yield* invalidTexts(`${at}.containerPort`, port.containerPort, texts);
    }
    if (hostPort !== 0) yield* invalidTexts(`${at}.hostPort`, hostPort, checkPortNumber(hostPort));
    yield* validateRequiredSupported(port.protocol, protocols, `${at}.protocol`);
  }
}

function* validateUniqueHostPorts(containers: readonly Container[], path: string): Findings {
  const seen = new Set<string>();
  for (const [i, { ports = [] }] of containers.entries()) {
    for (const [j, { hostPort = 0, protocol = "", hostIP = "" }] of ports.entries()) {
      if (hostPort === 0) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (seen.has(key)) yield duplicate(`${path}[${i}].ports[${j}].hostPort`, key);
      seen.add(key);
    }
  }
}

const resizeResources = ["cpu", "memory"];
const resizePolicies = ["NotRequired", "RestartContainer"];

function* validateResizePolicies(
  { resizePolicy = [] }: Container,
  path: string,
  { restartPolicy }: PodSpec,
): Findings {
  const seen = new Set<string>();
  for (const [i, policy] of resizePolicy.entries()) {
    if (seen.has(policy.resourceName)) yield duplicate(`${path}[${i}]`, policy.resourceName);
    seen.add(policy.resourceName);
    yield* validateResizePolicy(policy, path);
    if (restartPolicy === "Never" && policy.restartPolicy !== "NotRequired") {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      yield invalid(path, policy.restartPolicy, detail);
    }
  }
}

function* validateResizePolicy(policy: ContainerResizePolicy, path: string): Findings {
  yield* validateRequiredSupported(policy.resourceName, resizeResources, path);
  yield* validateRequiredSupported(policy.restartPolicy, resizePolicies, path);
}

/** Host ports equal container ports in the host's network; templates may leave them out. */
export function* validateHostNetworkPorts(spec: PodSpec, path: string, isPod: boolean): Findings {
  if (spec.hostNetwork !== true) return;
  for (const [i, { ports = [] }] of spec.containers.entries()) {
    for (const [j, { hostPort = 0, containerPort }] of ports.entries()) {
      if ((!isPod && hostPort === 0) || hostPort === containerPort) continue;
      const detail = "must match `containerPort` when `hostNetwork` is true";
      yield invalid(`${path}[${i}].ports[${j}].hostPort`, hostPort, detail);
    }
  }
}

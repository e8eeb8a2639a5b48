import { invalid, notFoundField, notSupported, required } from "#apimachinery/field-error.ts";
import { canonicalQuantity, isZeroQuantity } from "#apimachinery/quantity.ts";
import {
  type Findings,
  invalidTexts,
  validateQualifiedName,
  validateRequired,
} from "#apimachinery/validation/checks.ts";
import { checkDnsSubdomain, checkName } from "#apimachinery/validation/names.ts";
import { checkConfigMapKey, checkEnvVarName } from "#apimachinery/validation/syntax.ts";
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from "./env.ts";
import type { Volume } from "./volume.ts";
import { validateNonReservedPath } from "./volume-path-validation.ts";

/** Environment of containers, and references to a Pod's own fields. */
const envFieldPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

export const volumeFieldPaths = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

/** What field selectors and the downward API know of a Pod. */
const knownFieldPaths = new Set([
  ...envFieldPaths,
  ...volumeFieldPaths,
  "spec.restartPolicy",
  "spec.schedulerName",
  "spec.hostNetwork",
  "spec.host",
  "status.phase",
  "status.nominatedNodeName",
]);

export function* validateEnv(
  vars: readonly EnvVar[],
  path: string,
  volumes: ReadonlyMap<string, Volume>,
): Findings {
  for (const [i, variable] of vars.entries()) {
    const at = `${path}[${i}]`;
    if (variable.name === "") yield required(`${at}.name`, "");
    else yield* invalidTexts(`${at}.name`, variable.name, checkEnvVarName(variable.name));
    if (variable.valueFrom === undefined) continue;
    yield* validateValueFrom(variable.valueFrom, `${at}.valueFrom`, {
      value: variable.value ?? "",
      volumes,
    });
  }
}

function* validateValueFrom(
  from: EnvVarSource,
  path: string,
  { value, volumes }: { value: string; volumes: ReadonlyMap<string, Volume> },
): Findings {
  if (from.fieldRef !== undefined) {
    yield* validateFieldRef(from.fieldRef, envFieldPaths, `${path}.fieldRef`);
  }
  if (from.resourceFieldRef !== undefined) {
    yield* validateResourceFieldRef(from.resourceFieldRef, `${path}.resourceFieldRef`, false);
  }
  if (from.configMapKeyRef !== undefined) {
    yield* validateKeyRef(from.configMapKeyRef, `${path}.configMapKeyRef`);
  }
  if (from.secretKeyRef !== undefined) {
    yield* validateKeyRef(from.secretKeyRef, `${path}.secretKeyRef`);
  }
  if (from.fileKeyRef !== undefined) {
    yield* validateFileKeyRef(from.fileKeyRef, `${path}.fileKeyRef`, volumes);
  }
  const count = Object.values(from).filter((member) => member !== undefined).length;
  if (count === 0) {
    const detail =
      "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    yield invalid(path, "", detail);
  } else if (value !== "") {
    yield invalid(path, "", "may not be specified when `value` is not empty");
  } else if (count > 1) {
    yield invalid(path, "", "may not have more than one field specified at a time");
  }
}

export function* validateFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  supported: readonly string[],
  path: string,
): Findings {
  if (!apiVersion) yield required(`${path}.apiVersion`, "");
  else if (fieldPath === "") yield required(`${path}.fieldPath`, "");
  else if (apiVersion !== "v1") {
    const detail = `error converting fieldPath: unsupported pod version: ${apiVersion}`;
    yield invalid(`${path}.fieldPath`, fieldPath, detail);
  } else {
    const subscripted = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/s.exec(fieldPath);
    if (subscripted !== null) {
      const [, map, key = ""] = subscripted;
      yield* validateQualifiedName(map === "metadata.annotations" ? key.toLowerCase() : key, path);
    } else if (!knownFieldPaths.has(fieldPath)) {
      const detail = `error converting fieldPath: field label not supported: ${fieldPath}`;
      yield invalid(`${path}.fieldPath`, fieldPath, detail);
    } else if (!supported.includes(fieldPath)) {
      yield notSupported(`${path}.fieldPath`, fieldPath, supported);
    }
  }
}

const resourceFields = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const hugePagePrefixes = ["limits.hugepages-", "requests.hugepages-"];
const byteDivisors = ["1", ..."kMGTPE".split("").flatMap((unit) => [`1${unit}`])];
const binaryDivisors = "KMGTPE".split("").map((unit) => `1${unit}i`);

function isHugePageField(name: string): boolean {
  return hugePagePrefixes.some((prefix) => name.startsWith(prefix));
}

export function* validateResourceFieldRef(
  { containerName, resource, divisor }: ResourceFieldSelector,
  path: string,
  inVolume: boolean,
): Findings {
  if (inVolume && !containerName) yield required(`${path}.containerName`, "");
  else if (resource === "") yield required(`${path}.resource`, "");
  else if (!resourceFields.includes(resource) && !isHugePageField(resource)) {
    yield notSupported(`${path}.resource`, resource, resourceFields);
  }
  if (divisor === undefined || isZeroQuantity(divisor)) return;
  const unit = canonicalQuantity(divisor);
  if (resource.endsWith(".cpu")) {
    if (unit === "1m" || unit === "1") return;
    const detail = "only divisor's values 1m and 1 are supported with the cpu resource";
    yield invalid(`${path}.divisor`, resource, detail);
    return;
  }
  const noun = byteNoun(resource);
  if (noun === undefined || byteDivisors.includes(unit) || binaryDivisors.includes(unit)) return;
  const units = [...byteDivisors, ...binaryDivisors].join(", ");
  const detail = `only divisor's values ${units} are supported with the ${noun} resource`;
  yield invalid(`${path}.divisor`, resource, detail);
}

function byteNoun(resource: string): string | undefined {
  if (resource.endsWith(".memory")) return "memory";
  if (resource.endsWith(".ephemeral-storage")) return "local ephemeral storage";
  return isHugePageField(resource) ? "hugepages" : undefined;
}

function* validateKeyRef(
  { name = "", key }: { name?: string | undefined; key: string },
  path: string,
): Findings {
  yield* invalidTexts(`${path}.name`, name, checkDnsSubdomain(name));
  if (key === "") yield required(`${path}.key`, "");
  else yield* invalidTexts(`${path}.key`, key, checkConfigMapKey(key));
}

function* validateFileKeyRef(
  { key, volumeName, path: file }: FileKeySelector,
  path: string,
  volumes: ReadonlyMap<string, Volume>,
): Findings {
  if (key === "") yield required(`${path}.key`, "");
  else yield* invalidTexts(`${path}.key`, key, checkEnvVarName(key));
  yield* validateRequired(volumeName, `${path}.volumeName`);
  if (file === "") yield required(`${path}.path`, "");
  else yield* validateNonReservedPath(file, `${path}.path`);
  const volume = volumes.get(volumeName);
  if (volume === undefined) yield notFoundField(`${path}.volumeName`, volumeName);
  else if (volume.emptyDir === undefined) {
    yield invalid(`${path}.volumeName`, volumeName, "referenced volume must be of type emptyDir");
  }
}

export function* validateEnvFrom(sources: readonly EnvFromSource[], path: string): Findings {
  for (const [i, { prefix = "", configMapRef, secretRef }] of sources.entries()) {
    const at = `${path}[${i}]`;
    if (prefix !== "") yield* invalidTexts(`${at}.prefix`, prefix, checkEnvVarName(prefix));
    for (const [name, ref] of Object.entries({ configMapRef, secretRef })) {
      if (ref === undefined) continue;
      if (!ref.name) yield required(`${at}.${name}.name`, "");
      else {
        const texts = checkName("dnsSubdomain", ref.name, true);
        yield* invalidTexts(`${at}.${name}.name`, ref.name, texts);
      }
    }
    if (configMapRef === undefined && secretRef === undefined) {
      yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      yield invalid(path, "", "may not have more than one field specified at a time");
    }
  }
}

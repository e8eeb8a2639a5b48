import { forbidden, invalid, required } from "#apimachinery/field-error.ts";
import { type Findings, invalidTexts, validateRequired } from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { validateFieldRef, validateResourceFieldRef, volumeFieldPaths } from "./env-validation.ts";
import {
  ClusterTrustBundleProjection,
  type ConfigMapVolumeSource,
  type DownwardAPIVolumeFile,
  type DownwardAPIVolumeSource,
  type KeyToPath,
  type PodCertificateProjection,
  type ProjectedVolumeSource,
  type SecretVolumeSource,
  type ServiceAccountTokenProjection,
} from "./projected-volume.ts";
import { checkTrustBundleName, validateSignerName } from "./signer-name.ts";
import { validateFileMode, validateNonReservedPath } from "./volume-path-validation.ts";

/** Files from Secrets, ConfigMaps, the Pod itself and tokens. */
function* validateKeyToPath(item: KeyToPath, path: string): Findings {
  yield* validateRequired(item.key, `${path}.key`);
  yield* validateRequired(item.path, `${path}.path`);
  yield* validateNonReservedPath(item.path, `${path}.path`);
  yield* validateFileMode(item.mode, `${path}.mode`);
}

function* validateItems(items: readonly KeyToPath[] | undefined, path: string): Findings {
  for (const [i, item] of (items ?? []).entries()) yield* validateKeyToPath(item, `${path}[${i}]`);
}

export function* validateSecretVolume(source: SecretVolumeSource, path: string): Findings {
  yield* validateRequired(source.secretName, `${path}.secretName`);
  yield* validateFileMode(source.defaultMode, `${path}.defaultMode`);
  yield* validateItems(source.items, `${path}.items`);
}

export function* validateConfigMapVolume(source: ConfigMapVolumeSource, path: string): Findings {
  yield* validateRequired(source.name, `${path}.name`);
  yield* validateFileMode(source.defaultMode, `${path}.defaultMode`);
  yield* validateItems(source.items, `${path}.items`);
}

function* validateDownwardFile(file: DownwardAPIVolumeFile, path: string): Findings {
  yield* validateRequired(file.path, `${path}.path`);
  yield* validateNonReservedPath(file.path, `${path}.path`);
  if (file.fieldRef !== undefined) {
    yield* validateFieldRef(file.fieldRef, volumeFieldPaths, `${path}.fieldRef`);
    if (file.resourceFieldRef !== undefined) {
      const detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
      yield invalid(path, "resource", detail);
    }
  } else if (file.resourceFieldRef !== undefined) {
    yield* validateResourceFieldRef(file.resourceFieldRef, `${path}.resourceFieldRef`, true);
  } else yield required(path, "one of fieldRef and resourceFieldRef is required");
  yield* validateFileMode(file.mode, `${path}.mode`);
}

export function* validateDownwardVolume(source: DownwardAPIVolumeSource, path: string): Findings {
  yield* validateFileMode(source.defaultMode, `${path}.defaultMode`);
  for (const file of source.items ?? []) yield* validateDownwardFile(file, path);
}

const duplicateText = "conflicting duplicate paths";

/** `tokenPathsFree`: the old object had tokens outside the volume, so it may keep them. */
export function* validateProjectedVolume(source: ProjectedVolumeSource, path: string): Findings {
  yield* validateFileMode(source.defaultMode, `${path}.defaultMode`);
  const paths = new Set<string>();
  for (const [i, projection] of (source.sources ?? []).entries()) {
    const at = `${path}.sources[${i}]`;
    const { secret, configMap, downwardAPI, serviceAccountToken } = projection;
    for (const [name, files] of [
      ["secret", secret],
      ["configMap", configMap],
    ] as const) {
      if (files === undefined) continue;
      yield* validateRequired(files.name, `${at}.${name}.name`);
      for (const [j, item] of (files.items ?? []).entries()) {
        yield* validateKeyToPath(item, `${at}.${name}.items[${j}]`);
        if (isRepeated(paths, item.path)) yield invalid(path, files.name, duplicateText);
      }
    }
    for (const file of downwardAPI?.items ?? []) {
      yield* validateDownwardFile(file, `${at}.downwardAPI`);
      if (isRepeated(paths, file.path)) yield invalid(path, file.path, duplicateText);
    }
    if (serviceAccountToken !== undefined) yield* validateToken(serviceAccountToken, at, path);
    if (projection.clusterTrustBundle !== undefined) {
      yield* validateTrustBundle(projection.clusterTrustBundle, `${at}.clusterTrustBundle`);
      const bundlePath = projection.clusterTrustBundle.path;
      if (isRepeated(paths, bundlePath)) yield invalid(path, bundlePath, duplicateText);
    }
    if (projection.podCertificate !== undefined) {
      yield* validatePodCertificate(projection.podCertificate, `${at}.podCertificate`, paths);
    }
    if (Object.values(projection).filter((member) => member !== undefined).length > 1) {
      yield forbidden(at, "may not specify more than 1 volume type per source");
    }
  }
}

function isRepeated(paths: Set<string>, path: string): boolean {
  if (path === "") return false;
  const repeated = paths.has(path);
  paths.add(path);
  return repeated;
}

const expirationSecondsMin = 600;
const expirationSecondsMax = 2 ** 32;

function* validateToken(
  token: ServiceAccountTokenProjection,
  at: string,
  volumePath: string,
): Findings {
  const seconds = token.expirationSeconds ?? 0;
  const secondsPath = `${at}.serviceAccountToken.expirationSeconds`;
  if (seconds < expirationSecondsMin) {
    yield invalid(secondsPath, seconds, "may not specify a duration less than 10 minutes");
  }
  if (seconds > expirationSecondsMax) {
    yield invalid(secondsPath, seconds, "may not specify a duration larger than 2^32 seconds");
  }
  if (token.path === "") yield required(`${volumePath}.path`, "");
  else yield* validateNonReservedPath(token.path, `${volumePath}.path`);
}

function* validateTrustBundle(bundle: ClusterTrustBundleProjection, path: string): Findings {
  const { name, signerName, labelSelector } = bundle;
  if (name !== undefined && signerName !== undefined) {
    const shown = internalValue(ClusterTrustBundleProjection, bundle);
    yield invalid(path, shown, "only one of name and signerName may be used");
  } else if (name !== undefined) {
    if (name === "") yield required(`${path}.name`, "must be a valid object name");
    const texts = checkTrustBundleName(name);
    yield* invalidTexts(
      `${path}.name`,
      name,
      texts.map((text) => `not a valid clustertrustbundlename: ${text}`),
    );
    if (labelSelector !== undefined) {
      const detail = "labelSelector must be unset if name is specified";
      yield invalid(`${path}.labelSelector`, labelSelector, detail);
    }
  } else if (signerName !== undefined) {
    if (signerName === "") yield required(`${path}.signerName`, "must be a valid signer name");
    yield* validateSignerName(signerName, `${path}.signerName`);
    yield* validateLabelSelector(labelSelector, `${path}.labelSelector`);
  } else yield required(path, "either name or signerName must be specified");
  yield* validateRequired(bundle.path, `${path}.path`);
  yield* validateNonReservedPath(bundle.path, `${path}.path`);
}

const keyTypes = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
const certificateSecondsMin = 3600;
const certificateSecondsMax = 91 * 24 * 3600;

function* validatePodCertificate(
  certificate: PodCertificateProjection,
  path: string,
  paths: Set<string>,
): Findings {
  yield* validateSignerName(certificate.signerName ?? "", `${path}.signerName`);
  const { keyType = "", maxExpirationSeconds: seconds } = certificate;
  if (!keyTypes.includes(keyType)) {
    const supported = keyTypes.map((type) => `"${type}"`).join(", ");
    yield {
      type: "FieldValueNotSupported",
      field: `${path}.keyType`,
      badValue: keyType,
      detail: `supported values: ${supported}`,
    };
  }
  if (seconds !== undefined && seconds < certificateSecondsMin) {
    const detail = `if provided, maxExpirationSeconds must be >= ${certificateSecondsMin}`;
    yield invalid(`${path}.maxExpirationSeconds`, seconds, detail);
  } else if (seconds !== undefined && seconds > certificateSecondsMax) {
    const detail = `if provided, maxExpirationSeconds must be <= ${certificateSecondsMax}`;
    yield invalid(`${path}.maxExpirationSeconds`, seconds, detail);
  }
  const { credentialBundlePath = "", keyPath = "", certificateChainPath = "" } = certificate;
  const files = { credentialBundlePath, keyPath, certificateChainPath };
  for (const [name, file] of Object.entries(files)) {
    if (file === "") continue;
    yield* validateNonReservedPath(file, `${path}.${name}`);
    if (isRepeated(paths, file)) yield invalid(`${path}.${name}`, file, duplicateText);
  }
  if (credentialBundlePath === "" && keyPath === "" && certificateChainPath === "") {
    const detail =
      "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
    yield required(path, detail);
  }
}

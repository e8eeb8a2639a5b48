import { duplicate, forbidden, invalid, required } from "#apimachinery/field-error.ts";
import { quantitySign } from "#apimachinery/quantity.ts";
import type { ObjectMeta } from "#apimachinery/object.ts";
import {
  byteLengthOf,
  type Findings,
  forbidSet,
  invalidTexts,
  validateDnsLabel,
  validateRequired,
  validateRequiredSupported,
} from "#apimachinery/validation/checks.ts";
import { checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateAnnotations, validateLabels } from "#apimachinery/validation/object-meta.ts";
import { validateClaimSpec } from "./persistent-volume-claim-validation.ts";
import type { PodRules } from "./pod-rules.ts";
import {
  validateConfigMapVolume,
  validateDownwardVolume,
  validateProjectedVolume,
  validateSecretVolume,
} from "./projected-volume-validation.ts";
import type { Volume } from "./volume.ts";
import { validateDescendingPath } from "./volume-path-validation.ts";
import type {
  CSIVolumeSource,
  EphemeralVolumeSource,
  GitRepoVolumeSource,
  ImageVolumeSource,
} from "./volume-source.ts";
import {
  validateAzureDisk,
  validateAzureFile,
  validateCinder,
  validateCsiDriverName,
  validateDisk,
  validateFc,
  validateFlexVolume,
  validateFlocker,
  validateHostPath,
  validateIscsi,
  validateIscsiInitiator,
  validateNfs,
  validateQuobyte,
  validateStorageOs,
} from "./volume-source-validation.ts";

interface Context {
  readonly rules: PodRules;
  readonly podName: string;
  readonly volume: Volume;
}

/** How a source is checked; names are those of upstream's messages where they differ. */
interface SourceCheck {
  readonly source: Exclude<keyof Volume, "name">;
  /** In the path of `may not specify more than 1 volume type`. */
  readonly extraName?: string;
  check(volume: Volume, path: string, context: Context): Findings;
}

function source<K extends Exclude<keyof Volume, "name">>(
  name: K,
  check: (value: NonNullable<Volume[K]>, path: string, context: Context) => Findings,
  names: { path?: string; extraName?: string } = {},
): SourceCheck {
  return {
    source: name,
    ...(names.extraName !== undefined && { extraName: names.extraName }),
    *check(volume, path, context) {
      const value = volume[name];
      if (value !== undefined) {
        yield* check(value, `${path}.${names.path ?? name}`, context);
      }
    },
  };
}

/** In upstream's order. */
const sources: readonly SourceCheck[] = [
  source("emptyDir", function* (value, path) {
    if (value.sizeLimit !== undefined && quantitySign(value.sizeLimit) < 0) {
      yield forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity");
    }
  }),
  source("hostPath", validateHostPath),
  source("gitRepo", validateGitRepo),
  source(
    "gcePersistentDisk",
    (disk, path) => validateDisk({ name: "pdName", value: disk.pdName }, disk.partition, path),
    { path: "persistentDisk" },
  ),
  source("awsElasticBlockStore", (disk, path) =>
    validateDisk({ name: "volumeID", value: disk.volumeID }, disk.partition, path),
  ),
  source("secret", validateSecretVolume),
  source("nfs", validateNfs),
  source("iscsi", function* (value, path, { volume }) {
    yield* validateIscsi(value, path);
    yield* validateIscsiInitiator(value, path);
    const joined = `${volume.name}:${value.targetPortal}`;
    if (value.initiatorName !== undefined && byteLengthOf(joined) > 64) {
      const detail =
        "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
      yield invalid(path.replace(/iscsi$/, "name"), volume.name, detail);
    }
  }),
  source("glusterfs", function* (value, path) {
    yield* validateRequired(value.endpoints, `${path}.endpoints`);
    yield* validateRequired(value.path, `${path}.path`);
  }),
  source("flocker", validateFlocker),
  source("persistentVolumeClaim", (claim, path) =>
    validateRequired(claim.claimName, `${path}.claimName`),
  ),
  source("rbd", function* (value, path) {
    if (value.monitors.length === 0) yield required(`${path}.monitors`, "");
    yield* validateRequired(value.image, `${path}.image`);
  }),
  source("cinder", (value, path) => validateCinder(value, path, false)),
  source(
    "cephfs",
    function* (value, path) {
      if (value.monitors.length === 0) yield required(`${path}.monitors`, "");
    },
    { extraName: "cephFS" },
  ),
  source("quobyte", validateQuobyte),
  source("downwardAPI", validateDownwardVolume, { extraName: "downwarAPI" }),
  source("fc", validateFc),
  source("flexVolume", validateFlexVolume),
  source("configMap", validateConfigMapVolume),
  source("azureFile", validateAzureFile),
  source("vsphereVolume", (value, path) =>
    validateRequired(value.volumePath, `${path}.volumePath`),
  ),
  source("photonPersistentDisk", (value, path) => validateRequired(value.pdID, `${path}.pdID`)),
  source("portworxVolume", (value, path) => validateRequired(value.volumeID, `${path}.volumeID`)),
  source("azureDisk", validateAzureDisk),
  source("storageos", (value, path) => validateStorageOs(value, path, false)),
  source("projected", validateProjectedVolume),
  source("scaleIO", function* (value, path) {
    yield* validateRequired(value.gateway, `${path}.gateway`);
    yield* validateRequired(value.system, `${path}.system`);
    yield* validateRequired(value.volumeName, `${path}.volumeName`);
  }),
  source("csi", validateCsi),
  source("ephemeral", validateEphemeral),
  source("image", validateImage),
];

/** The names of valid volumes and all findings. */
export function validateVolumes(
  volumes: readonly Volume[],
  { meta, path, rules }: { meta: ObjectMeta | undefined; path: string; rules: PodRules },
): { named: Map<string, Volume>; findings: Iterable<ReturnType<typeof invalid>> } {
  const podName = meta?.name ?? "";
  const created = new Set(
    volumes
      .filter((volume) => podName !== "" && volume.ephemeral)
      .map(({ name }) => `${podName}-${name}`),
  );
  const named = new Map<string, Volume>();
  const findings: ReturnType<typeof invalid>[] = [];
  for (const [i, volume] of volumes.entries()) {
    const at = `${path}[${i}]`;
    const own = [...validateVolume(volume, at, { rules, podName, volume })];
    if (named.has(volume.name)) own.push(duplicate(`${at}.name`, volume.name));
    if (own.length === 0) named.set(volume.name, volume);
    findings.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && created.has(claim)) {
      const detail = "must not reference a PVC that gets created for an ephemeral volume";
      findings.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, detail));
    }
  }
  return { named, findings };
}

function* validateVolume(volume: Volume, path: string, context: Context): Findings {
  let found = false;
  for (const check of sources) {
    if (volume[check.source] === undefined) continue;
    if (found) {
      const name = check.extraName ?? check.source;
      yield forbidden(`${path}.${name}`, "may not specify more than 1 volume type");
    } else yield* check.check(volume, path, context);
    found = true;
  }
  if (!found) yield required(path, "must specify a volume type");
  if (volume.name === "") yield required(`${path}.name`, "");
  else yield* validateDnsLabel(volume.name, `${path}.name`);
}

function* validateGitRepo(repo: GitRepoVolumeSource, path: string): Findings {
  yield* validateRequired(repo.repository, `${path}.repository`);
  yield* validateDescendingPath(repo.directory ?? "", `${path}.directory`);
}

function* validateCsi(csi: CSIVolumeSource, path: string): Findings {
  yield* validateCsiDriverName(csi.driver, `${path}.driver`);
  const secret = csi.nodePublishSecretRef;
  if (secret === undefined) return;
  if (!secret.name) yield required(`${path}.nodePublishSecretRef.name`, "");
  else yield* invalidTexts(`${path}.name`, secret.name, checkDnsSubdomain(secret.name));
}

const templateMetaFields = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "ownerReferences",
  "finalizers",
  "managedFields",
];

function* validateEphemeral(
  { volumeClaimTemplate: template }: EphemeralVolumeSource,
  path: string,
  { podName, volume }: Context,
): Findings {
  if (template === undefined) yield required(`${path}.volumeClaimTemplate`, "");
  else {
    const at = `${path}.volumeClaimTemplate`;
    const meta = template.metadata;
    yield* validateAnnotations(meta.annotations, `${at}.metadata.annotations`);
    yield* validateLabels(meta.labels, `${at}.metadata.labels`);
    yield* forbidSet(meta, templateMetaFields, { path: `${at}.metadata`, text: "cannot be set" });
    yield* validateClaimSpec(template.spec, `${at}.spec`);
  }
  if (podName === "" || volume.name === "") return;
  const claimName = `${podName}-${volume.name}`;
  const texts = checkDnsSubdomain(claimName).map((text) => `PVC name "${claimName}": ${text}`);
  yield* invalidTexts(path.replace(/ephemeral$/, "name"), volume.name, texts);
}

const pullPolicies = ["Always", "IfNotPresent", "Never"];

function* validateImage(image: ImageVolumeSource, path: string, { rules }: Context): Findings {
  if (rules.isPod && !image.reference) yield required(`${path}.reference`, "");
  yield* validateRequiredSupported(image.pullPolicy, pullPolicies, `${path}.pullPolicy`);
}

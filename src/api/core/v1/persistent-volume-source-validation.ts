import { required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateDnsSubdomain,
  validateRequired,
} from "#apimachinery/validation/checks.ts";
import type {
  CSIPersistentVolumeSource,
  PersistentVolumeSource,
} from "./persistent-volume-source.ts";
import { validateNoBacksteps } from "./volume-path-validation.ts";
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

type Name = keyof PersistentVolumeSource;
type Check<N extends Name> = (
  source: NonNullable<PersistentVolumeSource[N]>,
  path: string,
) => Findings;

/** In the order in which upstream looks. Source: ValidatePersistentVolumeSpec. */
const checks: { readonly [N in Name]: Check<N> } = {
  hostPath: validateHostPath,
  gcePersistentDisk: (source, path) =>
    validateDisk({ name: "pdName", value: source.pdName }, source.partition, path),
  awsElasticBlockStore: (source, path) =>
    validateDisk({ name: "volumeID", value: source.volumeID }, source.partition, path),
  *glusterfs(source, path) {
    yield* validateRequired(source.endpoints, `${path}.endpoints`);
    yield* validateRequired(source.path, `${path}.path`);
    const { endpointsNamespace: namespace } = source;
    if (namespace === "") {
      const detail = "if the endpointnamespace is set, it must be a valid namespace name";
      yield required(`${path}.endpointsNamespace`, detail);
    } else if (namespace !== undefined) {
      yield* validateDnsSubdomain(namespace, `${path}.endpointsNamespace`);
    }
  },
  flocker: validateFlocker,
  nfs: validateNfs,
  *rbd(source, path) {
    if (source.monitors.length === 0) yield required(`${path}.monitors`, "");
    yield* validateRequired(source.image, `${path}.image`);
  },
  quobyte: validateQuobyte,
  *cephfs({ monitors }, path) {
    if (monitors.length === 0) yield required(`${path}.monitors`, "");
  },
  *iscsi(source, path) {
    yield* validateIscsi(source, path, "must be valid format");
    yield* validateIscsiInitiator(source, path, "must be valid format");
  },
  cinder: (source, path) => validateCinder(source, path, true),
  fc: validateFc,
  flexVolume: validateFlexVolume,
  *azureFile(source, path) {
    yield* validateAzureFile(source, path);
    if (source.secretNamespace === "") yield required(`${path}.secretNamespace`, "");
  },
  vsphereVolume: ({ volumePath }, path) => validateRequired(volumePath, `${path}.volumePath`),
  photonPersistentDisk: ({ pdID }, path) => validateRequired(pdID, `${path}.pdID`),
  portworxVolume: ({ volumeID }, path) => validateRequired(volumeID, `${path}.volumeID`),
  azureDisk: validateAzureDisk,
  *scaleIO(source, path) {
    yield* validateRequired(source.gateway, `${path}.gateway`);
    yield* validateRequired(source.system, `${path}.system`);
    yield* validateRequired(source.volumeName, `${path}.volumeName`);
  },
  *local({ path: target }, path) {
    yield* validateRequired(target, `${path}.path`);
    yield* validateNoBacksteps(target, `${path}.path`);
  },
  storageos: (source, path) => validateStorageOs(source, path, true),
  csi: validateCsi,
};

export const volumeSourceNames = Object.keys(checks) as Name[];

export function validateVolumeSource(
  source: PersistentVolumeSource,
  name: Name,
  path: string,
): Findings {
  const check = checks[name] as Check<Name>;
  return check(source[name] as NonNullable<PersistentVolumeSource[Name]>, path);
}

const secretFields = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
] as const;

function* validateCsi(source: CSIPersistentVolumeSource, path: string): Findings {
  yield* validateCsiDriverName(source.driver, `${path}.driver`);
  yield* validateRequired(source.volumeHandle, `${path}.volumeHandle`);
  for (const field of secretFields) {
    const secret = source[field];
    if (secret === undefined) continue;
    yield* validateRequired(secret.name, `${path}.${field}.name`);
    yield* validateRequired(secret.namespace, `${path}.${field}.namespace`);
  }
}

import { invalid, notSupported, required, tooLong } from "#apimachinery/field-error.ts";
import {
  byteLengthOf,
  type Findings,
  inclusiveRangeText,
  invalidTexts,
  validateDnsLabel,
  validateRequired,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import type {
  AzureDiskVolumeSource,
  AzureFileVolumeSource,
  CinderVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  HostPathVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  StorageOSVolumeSource,
} from "./volume-source.ts";
import type { SecretReference } from "./object-reference.ts";
import { validateNoBacksteps } from "./volume-path-validation.ts";

/** In-tree volume sources of Pods and PersistentVolumes. Source: pkg/apis/core/validation. */
const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

export function* validateHostPath(source: HostPathVolumeSource, path: string): Findings {
  if (source.path === "") {
    yield required(`${path}.path`, "");
    return;
  }
  yield* validateNoBacksteps(source.path, `${path}.path`);
  yield* validateSupported(source.type, hostPathTypes, `${path}.type`);
}

const initiatorPatterns = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

function* validateInitiator(
  name: string,
  path: string,
  unknownText = "must be valid format starting with iqn, eui, or naa",
): Findings {
  const kind = (["iqn", "eui", "naa"] as const).find((prefix) => name.startsWith(prefix));
  if (kind === undefined) yield invalid(path, name, unknownText);
  else if (!initiatorPatterns[kind].test(name)) yield invalid(path, name, "must be valid format");
}

type IscsiSource = Omit<ISCSIVolumeSource, "secretRef"> & { secretRef?: object | undefined };

const lunMax = 255;

/** `unknownText` differs between Pods and PersistentVolumes. */
export function* validateIscsi(source: IscsiSource, path: string, unknownText?: string): Findings {
  yield* validateRequired(source.targetPortal, `${path}.targetPortal`);
  if (source.iqn === "") yield required(`${path}.iqn`, "");
  else yield* validateInitiator(source.iqn, `${path}.iqn`, unknownText);
  if (source.lun < 0 || source.lun > lunMax) {
    yield invalid(`${path}.lun`, source.lun, inclusiveRangeText(0, lunMax));
  }
  const chap = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  if (chap && source.secretRef === undefined) yield required(`${path}.secretRef`, "");
}

export function* validateIscsiInitiator(
  source: Pick<ISCSIVolumeSource, "initiatorName">,
  path: string,
  unknownText?: string,
): Findings {
  if (source.initiatorName === undefined) return;
  yield* validateInitiator(source.initiatorName, `${path}.initiatorname`, unknownText);
}

export function* validateFc(source: FCVolumeSource, path: string): Findings {
  const wwns = source.targetWWNs ?? [];
  const wwids = source.wwids ?? [];
  if (wwns.length === 0 && wwids.length === 0) {
    yield required(`${path}.targetWWNs`, "must specify either targetWWNs or wwids, but not both");
  }
  if (wwns.length === 0) return;
  if (wwids.length > 0) {
    const detail = "targetWWNs and wwids can not be specified simultaneously";
    yield invalid(`${path}.targetWWNs`, wwns, detail);
  }
  if (source.lun === undefined) {
    yield required(`${path}.lun`, "lun is required if targetWWNs is specified");
  } else if (source.lun < 0 || source.lun > lunMax) {
    yield invalid(`${path}.lun`, source.lun, inclusiveRangeText(0, lunMax));
  }
}

/** Disks of GCE and AWS: an id and a partition. */
export function* validateDisk(
  id: { readonly name: string; readonly value: string },
  partition: number | undefined,
  path: string,
): Findings {
  yield* validateRequired(id.value, `${path}.${id.name}`);
  if ((partition ?? 0) < 0 || (partition ?? 0) > 255) {
    yield invalid(`${path}.partition`, partition, inclusiveRangeText(1, 255));
  }
}

export function* validateNfs(source: NFSVolumeSource, path: string): Findings {
  yield* validateRequired(source.server, `${path}.server`);
  yield* validateRequired(source.path, `${path}.path`);
  if (!source.path.startsWith("/")) {
    yield invalid(`${path}.path`, source.path, "must be an absolute path");
  }
}

const registryText = "must be a host:port pair or multiple pairs separated by commas";
const tenantLengthMax = 64;

export function* validateQuobyte(source: QuobyteVolumeSource, path: string): Findings {
  if (source.registry === "") yield required(`${path}.registry`, registryText);
  else if (byteLengthOf(source.tenant ?? "") > tenantLengthMax) {
    const detail = "must be a UUID and may not exceed a length of 64 characters";
    yield required(`${path}.tenant`, detail);
  } else {
    for (const pair of source.registry.split(",")) {
      if (!/^([^:[\]]*|\[[^\]]*\]):[^:]*$/.test(pair)) {
        yield invalid(`${path}.registry`, source.registry, registryText);
      }
    }
  }
  yield* validateRequired(source.volume, `${path}.volume`);
}

export function* validateFlocker(source: FlockerVolumeSource, path: string): Findings {
  const { datasetName = "", datasetUUID = "" } = source;
  if (datasetName === "" && datasetUUID === "") {
    yield required(path, "one of datasetName and datasetUUID is required");
  }
  if (datasetName !== "" && datasetUUID !== "") {
    const detail = "datasetName and datasetUUID can not be specified simultaneously";
    yield invalid(path, "resource", detail);
  }
  if (datasetName.includes("/")) {
    yield invalid(`${path}.datasetName`, datasetName, "must not contain '/'");
  }
}

type CinderSource = Pick<CinderVolumeSource, "volumeID"> & {
  secretRef?: SecretReference | undefined;
};

/** Secrets of PersistentVolumes name their namespace, too. */
export function* validateCinder(
  source: CinderSource,
  path: string,
  namesNamespace: boolean,
): Findings {
  yield* validateRequired(source.volumeID, `${path}.volumeID`);
  yield* validateSecretRef(source.secretRef, `${path}.secretRef`, namesNamespace);
}

function* validateSecretRef(
  secret: SecretReference | undefined,
  path: string,
  namesNamespace: boolean,
): Findings {
  if (secret === undefined) return;
  yield* validateRequired(secret.name, `${path}.name`);
  if (namesNamespace) yield* validateRequired(secret.namespace, `${path}.namespace`);
}

const reservedDomains = [".kubernetes.io", ".k8s.io"];

export function* validateFlexVolume(
  source: { driver: string; options?: Record<string, string> | undefined },
  path: string,
): Findings {
  yield* validateRequired(source.driver, `${path}.driver`);
  for (const key of Object.keys(source.options ?? {})) {
    const domain = `.${(key.split("/", 2)[0] ?? "").toLowerCase()}`;
    if (reservedDomains.some((reserved) => domain.endsWith(reserved))) {
      const detail = "kubernetes.io and k8s.io namespaces are reserved";
      yield invalid(`${path}.options[${key}]`, key, detail);
    }
  }
}

export function* validateAzureFile(source: AzureFileVolumeSource, path: string): Findings {
  yield* validateRequired(source.secretName, `${path}.secretName`);
  yield* validateRequired(source.shareName, `${path}.shareName`);
}

const cachingModes = ["None", "ReadOnly", "ReadWrite"];
const diskKinds = ["Dedicated", "Managed", "Shared"];
const managedUri =
  "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const blobUri = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

export function* validateAzureDisk(source: AzureDiskVolumeSource, path: string): Findings {
  yield* validateRequired(source.diskName, `${path}.diskName`);
  yield* validateRequired(source.diskURI, `${path}.diskURI`);
  yield* validateSupported(source.cachingMode, cachingModes, `${path}.cachingMode`);
  yield* validateSupported(source.kind, diskKinds, `${path}.kind`);
  if (source.kind === undefined) return;
  const managed = source.kind === "Managed";
  if (managed && !source.diskURI.startsWith("/subscriptions/")) {
    yield notSupported(`${path}.diskURI`, source.diskURI, [managedUri]);
  }
  if (!managed && !source.diskURI.startsWith("https://")) {
    yield notSupported(`${path}.diskURI`, source.diskURI, [blobUri]);
  }
}

type StorageOsSource = Omit<StorageOSVolumeSource, "secretRef"> & {
  secretRef?: object | undefined;
};

export function* validateStorageOs(
  source: StorageOsSource,
  path: string,
  namesNamespace: boolean,
): Findings {
  const { volumeName = "", volumeNamespace = "" } = source;
  if (volumeName === "") yield required(`${path}.volumeName`, "");
  else yield* validateDnsLabel(volumeName, `${path}.volumeName`);
  if (volumeNamespace !== "") yield* validateDnsLabel(volumeNamespace, `${path}.volumeNamespace`);
  yield* validateSecretRef(
    source.secretRef as SecretReference,
    `${path}.secretRef`,
    namesNamespace,
  );
}

const driverNameMax = 63;

export function* validateCsiDriverName(name: string, path: string): Findings {
  if (name === "") {
    yield required(path, "");
    return;
  }
  if (byteLengthOf(name) > driverNameMax) yield tooLong(path, driverNameMax);
  yield* invalidTexts(path, name, checkDnsSubdomain(name.toLowerCase()));
}

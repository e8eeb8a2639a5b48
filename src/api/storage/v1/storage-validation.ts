import { validateCsiDriverName } from "#api/core/v1/volume-source-validation.ts";
import type { TopologySelectorTerm } from "#api/core/v1/topology-selector.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { duplicate, forbidden, invalid, required, tooLong } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsSubdomain,
  validateImmutable,
  validateNonNegative,
  validateQualifiedName,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { checkQualifiedName } from "#apimachinery/validation/names.ts";
import { validateNonNegativeQuantity } from "#api/core/v1/resource-name.ts";
import { type CSINode, CSINodeDriver } from "./csi-node.ts";
import type { CSIDriver } from "./csi-driver.ts";
import type { CSIStorageCapacity } from "./csi-storage-capacity.ts";
import type { StorageClass } from "./storage-class.ts";
import { type VolumeAttachment, VolumeAttachmentSpec } from "./volume-attachment.ts";
import type { VolumeAttributesClass } from "./volume-attributes-class.ts";

/** Source: pkg/apis/storage/validation/validation.go. */
const parametersMax = 512;
const parametersBytesMax = 256 * 1024;
const nodeIdMax = 256;
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;

export function* validateStorageClass(storage: StorageClass): Findings {
  const { provisioner, reclaimPolicy, volumeBindingMode: mode } = storage;
  if (provisioner === "") yield required("provisioner", "");
  else
    yield* invalidTexts("provisioner", provisioner, checkQualifiedName(provisioner.toLowerCase()));
  yield* validateParameters(storage.parameters, true);
  if (reclaimPolicy) yield* validateSupported(reclaimPolicy, ["Delete", "Retain"], "reclaimPolicy");
  if (mode === undefined) yield required("volumeBindingMode", "");
  else yield* validateSupported(mode, ["Immediate", "WaitForFirstConsumer"], "volumeBindingMode");
  yield* validateTopologies(storage.allowedTopologies ?? []);
}

function* validateParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  mayBeEmpty: boolean,
): Findings {
  const entries = Object.entries(parameters ?? {});
  if (entries.length === 0 && !mayBeEmpty) {
    yield required("parameters", "must contain at least one key/value pair");
  }
  if (entries.length > parametersMax) {
    yield tooLong("parameters", parametersMax);
    return;
  }
  let bytes = 0;
  for (const [key, value] of entries) {
    if (key === "") yield invalid("parameters", key, "field can not be empty.");
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > parametersBytesMax) yield tooLong("parameters", parametersBytesMax);
}

function* validateTopologies(terms: readonly TopologySelectorTerm[]): Findings {
  for (const [i, { matchLabelExpressions = [] }] of terms.entries()) {
    const seen = new Set<string>();
    for (const [j, { key, values }] of matchLabelExpressions.entries()) {
      const path = `allowedTopologies[${i}].matchLabelExpressions[${j}]`;
      if (values.length === 0) yield required(`${path}.values`, "");
      for (const [k, value] of values.entries()) {
        if (values.indexOf(value) < k) yield duplicate(`${path}.values[${k}]`, value);
      }
      yield* validateQualifiedName(key, `${path}.key`);
      if (seen.has(key)) yield duplicate(`${path}.key`, key);
      seen.add(key);
    }
  }
}

export function* validateStorageClassUpdate(storage: StorageClass, old: StorageClass): Findings {
  yield* validateStorageClass(storage);
  for (const field of ["parameters", "provisioner", "reclaimPolicy"] as const) {
    if (semanticEqual(storage[field], old[field])) continue;
    yield forbidden(field, `updates to ${field} are forbidden.`);
  }
  yield* validateImmutable(storage.volumeBindingMode, old.volumeBindingMode, "volumeBindingMode");
}

export function* validateAttributesClass(attributes: VolumeAttributesClass): Findings {
  yield* validateCsiDriverName(attributes.driverName, "driverName");
  yield* validateParameters(attributes.parameters, false);
}

export function* validateAttributesClassUpdate(
  attributes: VolumeAttributesClass,
  old: VolumeAttributesClass,
): Findings {
  if (attributes.driverName !== old.driverName) {
    yield forbidden("driverName", "updates to driverName are forbidden.");
  }
  if (!semanticEqual(attributes.parameters, old.parameters)) {
    yield forbidden("parameters", "updates to parameters are forbidden.");
  }
}

const fsGroupPolicies = ["File", "None", "ReadWriteOnceWithFSType"];
const lifecycleModes = ["Ephemeral", "Persistent"];

export function* validateCsiDriver({ metadata: meta, spec }: CSIDriver): Findings {
  yield* validateCsiDriverName(meta.name ?? "", "metadata.name");
  for (const field of ["attachRequired", "podInfoOnMount", "storageCapacity"] as const) {
    if (spec[field] === undefined) yield required(`spec.${field}`, "");
  }
  yield* validateSupported(spec.fsGroupPolicy, fsGroupPolicies, "spec.fsGroupPolicy");
  for (const mode of spec.volumeLifecycleModes ?? []) {
    yield* validateSupported(mode, lifecycleModes, "spec.volumeLifecycleModes");
  }
  const audiences = new Set<string>();
  for (const [i, { audience, expirationSeconds: seconds }] of (
    spec.tokenRequests ?? []
  ).entries()) {
    const path = `spec.tokenRequests[${i}]`;
    if (audiences.has(audience)) yield duplicate(`${path}.audience`, audience);
    audiences.add(audience);
    if (seconds === undefined) continue;
    const at = `${path}.expirationSeconds`;
    if (seconds < tokenSecondsMin)
      yield invalid(at, seconds, "may not specify a duration less than 10 minutes");
    if (seconds > tokenSecondsMax)
      yield invalid(at, seconds, "may not specify a duration larger than 2^32 seconds");
  }
}

export function* validateAttachment({ spec }: VolumeAttachment): Findings {
  yield* validateCsiDriverName(spec.attacher, "spec.attacher");
  const { persistentVolumeName: name, inlineVolumeSpec: inline } = spec.source;
  const path = "spec.source";
  if (inline !== undefined && name) {
    yield forbidden(path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  } else if (inline === undefined && name === undefined) {
    yield required(path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  } else if (name !== undefined) {
    yield* validateDnsSubdomain(name, `${path}.persistentVolumeName`);
  }
  yield* validateDnsSubdomain(spec.nodeName, "spec.nodeName");
}

export function* validateAttachmentUpdate(
  attachment: VolumeAttachment,
  old: VolumeAttachment,
): Findings {
  yield* validateAttachment(attachment);
  if (semanticEqual(attachment.spec, old.spec)) return;
  yield invalid("spec", internalValue(VolumeAttachmentSpec, attachment.spec), "field is immutable");
}

export function* validateCsiNode({ spec }: CSINode): Findings {
  const names = new Set<string>();
  for (const [i, driver] of spec.drivers.entries()) {
    const path = `spec.drivers[${i}]`;
    if (names.has(driver.name)) yield duplicate(`${path}.name`, driver.name);
    names.add(driver.name);
    yield* validateNodeDriver(driver, path);
  }
}

function* validateNodeDriver(driver: CSINodeDriver, path: string): Findings {
  const { name, nodeID, topologyKeys: keys, allocatable } = driver;
  yield* validateCsiDriverName(name, `${path}.name`);
  if (nodeID === "") yield required(`${path}.nodeID`, "");
  else if (nodeID.length > nodeIdMax) {
    yield invalid(`${path}.nodeID`, nodeID, `must be ${nodeIdMax} characters or less`);
  }
  if (allocatable?.count !== undefined) {
    yield* validateNonNegative(allocatable.count, `${path}.allocatable.count`);
  }
  for (const [i, key] of keys.entries()) {
    if (keys.indexOf(key) < i) yield duplicate(path, key);
    if (key === "") yield required(path, "");
    yield* validateQualifiedName(key, path);
  }
}

export function* validateCsiNodeUpdate(node: CSINode, old: CSINode): Findings {
  yield* validateCsiNode(node);
  for (const driver of node.spec.drivers) {
    const before = old.spec.drivers.find(({ name }) => name === driver.name);
    if (before === undefined || semanticEqual(driver, before)) continue;
    const { allocatable: _, ...fixed } = driver;
    const { allocatable: _old, ...fixedBefore } = before;
    if (semanticEqual(fixed, fixedBefore)) continue;
    yield invalid("spec.drivers", internalValue(CSINodeDriver, driver), "field is immutable");
  }
}

export function* validateStorageCapacity(capacity: CSIStorageCapacity): Findings {
  yield* validateLabelSelector(capacity.nodeTopology, "nodeTopology");
  yield* validateDnsSubdomain(capacity.storageClassName, "storageClassName");
  if (capacity.capacity !== undefined)
    yield* validateNonNegativeQuantity(capacity.capacity, "capacity");
}

export function* validateStorageCapacityUpdate(
  capacity: CSIStorageCapacity,
  old: CSIStorageCapacity,
): Findings {
  if (!semanticEqual(capacity.nodeTopology, old.nodeTopology)) {
    yield invalid("nodeTopology", capacity.nodeTopology ?? null, "field is immutable");
  }
  yield* validateImmutable(capacity.storageClassName, old.storageClassName, "storageClassName");
}

import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  sortedEntries,
  validateDnsSubdomain,
  validateImmutable,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { internalDiff } from "#apimachinery/validation/internal-diff.ts";
import { validateNodeSelector } from "./affinity-validation.ts";
import { validateAccessModes, volumeModes } from "./persistent-volume-claim-validation.ts";
import type { PersistentVolume, PersistentVolumeSpec } from "./persistent-volume.ts";
import { PersistentVolumeSource } from "./persistent-volume-source.ts";
import { validateVolumeSource, volumeSourceNames } from "./persistent-volume-source-validation.ts";
import { validateBasicQuantity, validatePositiveQuantity } from "./resource-name.ts";

/** Source: ValidatePersistentVolume in pkg/apis/core/validation. */
const reclaimPolicies = ["Delete", "Recycle", "Retain"];

export function* validatePersistentVolume({ spec }: PersistentVolume): Findings {
  const { accessModes = [], persistentVolumeReclaimPolicy: policy = "" } = spec;
  if (accessModes.length === 0) yield required("spec.accessModes", "");
  yield* validateAccessModes(accessModes, "spec.accessModes");
  yield* validateCapacity(spec);
  if (policy !== "") {
    yield* validateSupported(policy, reclaimPolicies, "spec.persistentVolumeReclaimPolicy");
  }
  yield* validateNodeAffinity(spec);
  yield* validateSource(spec);
  if (policy === "Recycle" && spec.hostPath?.path === "/") {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    yield forbidden("spec.persistentVolumeReclaimPolicy", detail);
  }
  if (spec.storageClassName)
    yield* validateDnsSubdomain(spec.storageClassName, "spec.storageClassName");
  yield* validateSupported(spec.volumeMode, volumeModes, "spec.volumeMode");
  yield* validateAttributesClass(spec);
}

function* validateCapacity({ capacity }: PersistentVolumeSpec): Findings {
  const path = "spec.capacity";
  const names = Object.keys(capacity ?? {});
  if (names.length === 0) yield required(path, "");
  if (names.length !== 1 || names[0] !== "storage") {
    yield notSupported(path, capacity ?? null, ["storage"]);
  }
  for (const [name, quantity] of sortedEntries(capacity)) {
    yield* validateBasicQuantity(quantity, `${path}[${name}]`);
    yield* validatePositiveQuantity(quantity, `${path}[${name}]`);
  }
}

function* validateNodeAffinity({ nodeAffinity }: PersistentVolumeSpec): Findings {
  if (nodeAffinity === undefined) return;
  const path = "spec.nodeAffinity.required";
  if (nodeAffinity.required === undefined) {
    yield required(path, "must specify required node constraints");
  } else {
    yield* validateNodeSelector(nodeAffinity.required, path, false);
  }
}

function* validateSource(spec: PersistentVolumeSpec): Findings {
  const [first, ...others] = volumeSourceNames.filter((name) => spec[name] !== undefined);
  if (first === undefined) {
    yield required("spec", "must specify a volume type");
    return;
  }
  yield* validateVolumeSource(spec, first, `spec.${first}`);
  if (first === "local" && spec.nodeAffinity === undefined) {
    yield required("spec.nodeAffinity", "Local volume requires node affinity");
  }
  for (const name of others) {
    yield forbidden(`spec.${name}`, "may not specify more than 1 volume type");
  }
}

function* validateAttributesClass({
  volumeAttributesClassName: name,
  csi,
}: PersistentVolumeSpec): Findings {
  if (name === undefined) return;
  const path = "spec.volumeAttributesClassName";
  if (name === "") yield required(path, "an empty string is disallowed");
  else yield* validateDnsSubdomain(name, path);
  if (csi === undefined) {
    yield required("spec.csi", "has to be specified when using volumeAttributesClassName");
  }
}

export function* validatePersistentVolumeUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
): Findings {
  yield* validatePersistentVolume(volume);
  const { spec } = volume;
  const source = sourceOf(spec);
  const before = withExpandSecret(sourceOf(old.spec), source);
  if (!semanticEqual(source, before)) {
    const path = "spec.persistentvolumesource";
    const diff = internalDiff(PersistentVolumeSource, before, source);
    yield forbidden(path, `${path} is immutable after creation\n${diff}`);
  }
  yield* validateImmutable(spec.volumeMode, old.spec.volumeMode, "volumeMode");
  const { nodeAffinity } = old.spec;
  if (nodeAffinity !== undefined && !semanticEqual(spec.nodeAffinity, nodeAffinity)) {
    const detail = "field is immutable, except for updating from beta label to GA";
    yield invalid("nodeAffinity", spec.nodeAffinity ?? null, detail);
  }
  if (
    old.spec.volumeAttributesClassName !== undefined &&
    spec.volumeAttributesClassName === undefined
  ) {
    const detail = "update from non-nil value to nil is forbidden";
    yield forbidden("spec.volumeAttributesClassName", detail);
  }
}

function sourceOf(spec: PersistentVolumeSpec): PersistentVolumeSource {
  const set = volumeSourceNames.filter((name) => spec[name] !== undefined);
  return Object.fromEntries(set.map((name) => [name, spec[name]]));
}

/** The secret for expansion may be added later. */
function withExpandSecret(
  old: PersistentVolumeSource,
  now: PersistentVolumeSource,
): PersistentVolumeSource {
  const secret = now.csi?.controllerExpandSecretRef;
  if (old.csi === undefined || old.csi.controllerExpandSecretRef !== undefined) return old;
  return secret === undefined ? old : { csi: { ...old.csi, controllerExpandSecretRef: secret } };
}

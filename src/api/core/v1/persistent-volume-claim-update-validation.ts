import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { forbidden, invalid, notSupported } from "#apimachinery/field-error.ts";
import { compareQuantities, quantityValue } from "#apimachinery/quantity.ts";
import {
  type Findings,
  sortedEntries,
  validateImmutable,
} from "#apimachinery/validation/checks.ts";
import { internalDiff } from "#apimachinery/validation/internal-diff.ts";
import type { PersistentVolumeClaim } from "./persistent-volume-claim.ts";
import { PersistentVolumeClaimSpec } from "./persistent-volume-claim-spec.ts";
import { validateClaimSpec } from "./persistent-volume-claim-validation.ts";
import { isLess, validateResourceName } from "./resource-name.ts";

/** Source: ValidatePersistentVolumeClaim in pkg/apis/core/validation. */
const storageClassAnnotation = "volume.beta.kubernetes.io/storage-class";

export function* validateClaim(claim: PersistentVolumeClaim): Findings {
  yield* validateClaimSpec(claim.spec, "spec");
}

export function* validateClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): Findings {
  yield* validateClaim(claim);
  yield* validateClass(claim, old);
  const allowed = withAllowedChanges(claim, old);
  if (!semanticEqual(claim.spec, allowed)) {
    const diff = internalDiff(PersistentVolumeClaimSpec, allowed, claim.spec);
    const rule =
      "spec is immutable after creation except resources.requests and " +
      "volumeAttributesClassName for bound claims";
    yield forbidden("spec", `${rule}\n${diff}`);
  }
  const size = claim.spec.resources?.requests?.["storage"] ?? "0";
  const oldSize = old.spec.resources?.requests?.["storage"] ?? "0";
  // Claims whose expansion failed may ask for less, but for more than they have.
  const actual = old.status?.capacity?.["storage"] ?? "0";
  if (isLess(size, oldSize) && compareQuantities(size, actual) <= 0) {
    const detail = "field can not be less than status.capacity";
    yield forbidden("spec.resources.requests.storage", detail);
  }
  yield* validateImmutable(claim.spec.volumeMode, old.spec.volumeMode, "volumeMode");
}

function* validateClass(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): Findings {
  const before = old.metadata.annotations?.[storageClassAnnotation];
  const now = claim.metadata.annotations?.[storageClassAnnotation];
  const path = `metadata.annotations[${storageClassAnnotation}]`;
  if (!isClassUpgrade(claim, old)) yield* validateImmutable(now ?? "", before ?? "", path);
}

/** From the annotation to the field, with the same class. */
function isClassUpgrade(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const before = old.metadata.annotations?.[storageClassAnnotation];
  const now = claim.metadata.annotations?.[storageClassAnnotation];
  const { storageClassName } = claim.spec;
  return (
    before !== undefined &&
    (now === undefined || now === before) &&
    old.spec.storageClassName === undefined &&
    storageClassName === before
  );
}

/** The old spec with the changes of the new one that are fine. */
function withAllowedChanges(
  { spec, ...claim }: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): PersistentVolumeClaimSpec {
  const allowed = { ...old.spec };
  if (!old.spec.volumeName) allowed.volumeName = spec.volumeName;
  const hadAnnotation = old.metadata.annotations?.[storageClassAnnotation] !== undefined;
  const fromNothing = old.spec.storageClassName === undefined && !hadAnnotation;
  if (
    isClassUpgrade({ spec, ...claim }, old) ||
    (fromNothing && spec.storageClassName !== undefined)
  ) {
    allowed.storageClassName = spec.storageClassName;
  }
  if (claim.status?.phase !== "Bound") return allowed;
  const requests = { ...old.spec.resources?.requests };
  const storage = spec.resources?.requests?.["storage"];
  if (storage !== undefined) requests["storage"] = storage;
  allowed.resources = { ...old.spec.resources, requests };
  if (spec.volumeAttributesClassName !== undefined) {
    allowed.volumeAttributesClassName = spec.volumeAttributesClassName;
  }
  return allowed;
}

const resizeStates = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
];

export function* validateClaimStatus({ status }: PersistentVolumeClaim): Findings {
  yield* validateAmounts(status?.capacity, "status.capacity");
  for (const [name, state] of sortedEntries(status?.allocatedResourceStatuses)) {
    const path = "status.allocatedResourceStatuses";
    yield* validateResourceName(name, path);
    if (!resizeStates.includes(state)) yield notSupported(path, name, resizeStates);
  }
  yield* validateAmounts(status?.allocatedResources, "status.allocatedResources");
}

function* validateAmounts(
  amounts: Readonly<Record<string, string>> | undefined,
  path: string,
): Findings {
  for (const [name, quantity] of sortedEntries(amounts)) {
    const value = quantityValue(quantity);
    if (value < 0) yield invalid(`${path}[${name}]`, value, "must be a valid resource quantity");
  }
}

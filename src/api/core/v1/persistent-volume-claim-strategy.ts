import { goQuote } from "#apimachinery/field-error.ts";
import type { FeatureReader, Strategy } from "#apimachinery/resource.ts";
import type { PersistentVolumeClaim } from "./persistent-volume-claim.ts";
import type { PersistentVolumeClaimSpec } from "./persistent-volume-claim-spec.ts";
import { validateClaim, validateClaimUpdate } from "./persistent-volume-claim-update-validation.ts";
import { isWholeQuantity } from "./resource-name.ts";

export const storageClassAnnotation = "volume.beta.kubernetes.io/storage-class";

/** Also for the templates of StatefulSets. */
export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= "Filesystem";
}

/** Source: pkg/registry/core/persistentvolumeclaim/strategy.go. */
export const persistentVolumeClaimStrategy: Strategy<PersistentVolumeClaim> = {
  deleteReturnsObject: true,
  default(claim) {
    defaultClaimSpec(claim.spec);
    claim.status = { ...claim.status, phase: claim.status?.phase || "Pending" };
  },
  prepareForCreate(claim, { features }) {
    claim.status = { phase: "Pending" };
    dropUnusableSources(claim.spec, undefined, features);
    const { dataSource, dataSourceRef } = claim.spec;
    if (dataSourceRef === undefined) {
      if (dataSource !== undefined) claim.spec.dataSourceRef = { ...dataSource };
    } else if (dataSource === undefined && !dataSourceRef.namespace) {
      const { namespace: _, ...source } = dataSourceRef;
      claim.spec.dataSource = source;
    }
  },
  prepareForUpdate(claim, { old, features }) {
    claim.status = old.status;
    dropUnusableSources(claim.spec, old.spec, features);
  },
  validate: (claim) => [...validateClaim(claim)],
  validateUpdate: (claim, { old }) => [...validateClaimUpdate(claim, old)],
  warnings: (claim) => [
    ...(claim.metadata.annotations?.[storageClassAnnotation] === undefined
      ? []
      : [
          `metadata.annotations[${storageClassAnnotation}]: deprecated since v1.8; ` +
            'use "storageClassName" attribute instead',
        ]),
    ...claimSpecWarnings(claim.spec, "spec"),
  ],
};

/** The first field for sources knows only claims and snapshots; namespaces are behind a gate. */
function dropUnusableSources(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec | undefined,
  features: FeatureReader,
): void {
  if (old?.dataSource !== undefined || old?.dataSourceRef !== undefined) return;
  if (spec.dataSourceRef?.namespace && !features.enabled("CrossNamespaceVolumeDataSource")) {
    delete spec.dataSourceRef;
  }
  const { kind = "", apiGroup = "" } = spec.dataSource ?? {};
  const isClaim = kind === "PersistentVolumeClaim" && apiGroup === "";
  const isSnapshot = kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io";
  if (!isClaim && !isSnapshot) delete spec.dataSource;
}

export function claimSpecWarnings(
  { resources }: PersistentVolumeClaimSpec,
  path: string,
): string[] {
  return (["limits", "requests"] as const).flatMap((list) => {
    const storage = resources?.[list]?.["storage"];
    if (storage === undefined || isWholeQuantity(storage)) return [];
    return [
      `${path}.resources.${list}[storage]: fractional byte value ${goQuote(storage)} is invalid, ` +
        "must be an integer",
    ];
  });
}

/** The class that the annotation or the field names. */
export function claimClass({ metadata: meta, spec }: PersistentVolumeClaim): string {
  return meta.annotations?.[storageClassAnnotation] ?? spec.storageClassName ?? "";
}

const shortModes: readonly [mode: string, short: string][] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];

/** `RWO,ROX`, as tables print access modes. */
export function accessModesText(modes: readonly string[] | undefined): string {
  const shown = shortModes.filter(([mode]) => modes?.includes(mode) === true);
  return shown.map(([, short]) => short).join(",");
}

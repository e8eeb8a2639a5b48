import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateRequired,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { checkDnsLabel, checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import type { TypedLocalObjectReference, TypedObjectReference } from "./object-reference.ts";
import type { PersistentVolumeClaimSpec } from "./persistent-volume-claim-spec.ts";
import { validatePositiveQuantity, validateResourceQuantity } from "./resource-name.ts";

/** Also for the templates in ephemeral volumes and StatefulSets. */
export const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
export const volumeModes = ["Block", "Filesystem"];

export interface ClaimRules {
  /** What an old object had may stay. */
  readonly allowInvalidSelectorValues?: boolean;
  readonly allowInvalidApiGroup?: boolean;
}

export function* validateAccessModes(modes: readonly string[], path: string): Findings {
  for (const mode of modes) {
    if (!accessModes.includes(mode)) yield notSupported(path, mode, accessModes);
  }
  const others = modes.some((mode) => mode !== "ReadWriteOncePod" && accessModes.includes(mode));
  if (modes.includes("ReadWriteOncePod") && others) {
    yield forbidden(path, "may not use ReadWriteOncePod with other access modes");
  }
}

export function* validateClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: string,
  rules: ClaimRules = {},
): Findings {
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) {
    yield required(`${path}.accessModes`, "at least 1 access mode is required");
  }
  yield* validateLabelSelector(spec.selector, `${path}.selector`, {
    allowInvalidValues: rules.allowInvalidSelectorValues === true,
  });
  yield* validateAccessModes(modes, `${path}.accessModes`);
  yield* validateStorageRequest(
    spec.resources?.requests?.["storage"],
    `${path}.resources[storage]`,
  );
  const className = spec.storageClassName ?? "";
  if (className !== "") {
    yield* invalidTexts(`${path}.storageClassName`, className, checkDnsSubdomain(className));
  }
  yield* validateSupported(spec.volumeMode, volumeModes, `${path}.volumeMode`);
  yield* validateDataSources(spec, path, rules);
  const attributesClass = spec.volumeAttributesClassName ?? "";
  if (attributesClass !== "") {
    const texts = checkDnsSubdomain(attributesClass);
    yield* invalidTexts(`${path}.volumeAttributesClassName`, attributesClass, texts);
  }
}

/** The template of a StatefulSet. */
export function* validateClaimTemplate(
  { spec }: { readonly spec: PersistentVolumeClaimSpec },
  path: string,
): Findings {
  yield* validateClaimSpec(spec, `${path}.spec`);
}

function* validateStorageRequest(quantity: string | undefined, path: string): Findings {
  if (quantity === undefined) yield required(path, "");
  else {
    const errors = [...validatePositiveQuantity(quantity, path)];
    yield* errors.length > 0 ? errors : validateResourceQuantity("storage", quantity, path);
  }
}

function* validateDataSources(
  { dataSource, dataSourceRef }: PersistentVolumeClaimSpec,
  path: string,
  rules: ClaimRules,
): Findings {
  if (dataSource !== undefined) {
    yield* validateDataSource(dataSource, `${path}.dataSource`, rules);
  }
  if (dataSourceRef !== undefined) {
    yield* validateDataSource(dataSourceRef, `${path}.dataSourceRef`, rules);
    const namespace = dataSourceRef.namespace ?? "";
    if (namespace !== "") {
      yield* invalidTexts(`${path}.dataSourceRef.namespace`, namespace, checkDnsLabel(namespace));
    }
  }
  if (dataSource === undefined || dataSourceRef === undefined) return;
  // Upstream shows a path object here, which has no exported fields.
  if (dataSourceRef.namespace) {
    yield invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified");
  } else if (
    dataSource.apiGroup !== dataSourceRef.apiGroup ||
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name
  ) {
    yield invalid(path, {}, "must match dataSourceRef");
  }
}

function* validateDataSource(
  source: TypedLocalObjectReference | TypedObjectReference,
  path: string,
  rules: ClaimRules,
): Findings {
  yield* validateRequired(source.name, `${path}.name`);
  yield* validateRequired(source.kind, `${path}.kind`);
  const apiGroup = source.apiGroup ?? "";
  if (apiGroup === "" && source.kind !== "PersistentVolumeClaim") {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    yield invalid(path, source.kind, detail);
  }
  if (apiGroup !== "" && rules.allowInvalidApiGroup !== true) {
    yield* invalidTexts(`${path}.apiGroup`, apiGroup, checkDnsSubdomain(apiGroup));
  }
}

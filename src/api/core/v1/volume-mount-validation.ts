import { forbidden, invalid, notFoundField, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  validateRequired,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import type { Container, VolumeMount } from "./container.ts";
import type { Volume } from "./volume.ts";
import { validateDescendingPath } from "./volume-path-validation.ts";

const propagations = ["Bidirectional", "HostToContainer", "None"];

export function* validateVolumeMounts(
  container: Container,
  path: string,
  volumes: ReadonlyMap<string, Volume>,
): Findings {
  const devices = container.volumeDevices ?? [];
  const mountPaths = new Set<string>();
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}[${i}]`;
    yield* validateRequired(mount.name, `${at}.name`);
    const volume = volumes.get(mount.name);
    if (volume === undefined) yield notFoundField(`${at}.name`, mount.name);
    yield* validateRequired(mount.mountPath, `${at}.mountPath`);
    if (mountPaths.has(mount.mountPath)) {
      yield invalid(`${at}.mountPath`, mount.mountPath, "must be unique");
    }
    mountPaths.add(mount.mountPath);
    if (devices.some(({ name }) => name === mount.name)) {
      yield invalid(`${at}.name`, mount.name, "must not already exist in volumeDevices");
    }
    if (devices.some(({ devicePath }) => devicePath === mount.mountPath)) {
      const detail = "must not already exist as a path in volumeDevices";
      yield invalid(`${at}.mountPath`, mount.mountPath, detail);
    }
    yield* validateSubPaths(mount, at, path);
    yield* validatePropagation(mount, container, path);
  }
}

/** Some findings name the list, not the item. */
function* validateSubPaths(mount: VolumeMount, at: string, path: string): Findings {
  const { subPath = "", subPathExpr = "" } = mount;
  if (subPath !== "") yield* validateDescendingPath(subPath, `${path}.subPath`);
  if (subPathExpr === "") return;
  if (subPath !== "") {
    const detail = "subPathExpr and subPath are mutually exclusive";
    yield invalid(`${at}.subPathExpr`, subPathExpr, detail);
  }
  yield* validateDescendingPath(subPathExpr, `${path}.subPathExpr`);
}

function* validatePropagation(mount: VolumeMount, container: Container, path: string): Findings {
  const { mountPropagation, recursiveReadOnly } = mount;
  yield* validateSupported(mountPropagation, propagations, `${path}.mountPropagation`);
  if (mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
    const detail = "Bidirectional mount propagation is available only to privileged containers";
    yield forbidden(`${path}.mountPropagation`, detail);
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === "Disabled") return;
  const at = `${path}.recursiveReadOnly`;
  yield* validateSupported(recursiveReadOnly, ["Disabled", "Enabled", "IfPossible"], at);
  if (recursiveReadOnly !== "Enabled" && recursiveReadOnly !== "IfPossible") return;
  if (mount.readOnly !== true) yield forbidden(at, "may only be specified when readOnly is true");
  if (mountPropagation !== undefined && mountPropagation !== "None") {
    yield forbidden(at, "may only be specified when mountPropagation is None or not specified");
  }
}

export function* validateVolumeDevices(
  container: Container,
  path: string,
  volumes: ReadonlyMap<string, Volume>,
): Findings {
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const devicePaths = new Set<string>();
  for (const [i, { name, devicePath }] of (container.volumeDevices ?? []).entries()) {
    const at = `${path}[${i}]`;
    yield* validateRequired(name, `${at}.name`);
    if (names.has(name)) yield invalid(`${at}.name`, name, "must be unique");
    const volume = volumes.get(name);
    if (volume === undefined) yield notFoundField(`${at}.name`, name);
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const detail =
        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      yield invalid(`${at}.name`, name, detail);
    }
    if (devicePath === "") yield required(`${at}.devicePath`, "");
    if (devicePaths.has(devicePath))
      yield invalid(`${at}.devicePath`, devicePath, "must be unique");
    if (devicePath.split("/").includes("..")) {
      yield invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')");
    } else devicePaths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      yield invalid(`${at}.name`, name, "must not already exist in volumeMounts");
    }
    if (mounts.some(({ mountPath }) => mountPath === devicePath)) {
      const detail = "must not already exist as a path in volumeMounts";
      yield invalid(`${at}.devicePath`, devicePath, detail);
    }
    if (name !== "") names.add(name);
  }
}

import type { Container } from "#api/core/v1/container.ts";
import type { PodSpec } from "#api/core/v1/pod-spec.ts";
import type { ObjectMeta } from "#apimachinery/object.ts";

/** What a check looks at: a pod, or the template of one. */
export interface PodView {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
}

export type CheckedContainer = Pick<
  Container,
  | "name"
  | "securityContext"
  | "ports"
  | "livenessProbe"
  | "readinessProbe"
  | "startupProbe"
  | "lifecycle"
>;

/** What a check found: the reason alone is shown where there are many pods. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** One rule of a level. `minor` is that of the wanted Kubernetes version. */
export interface Check {
  /** First minor version that has it. */
  readonly since?: number;
  readonly run: (pod: PodView, minor: number) => Violation | undefined;
}

/** All containers, as upstream visits them. */
export function containersOf({ spec }: PodView): readonly CheckedContainer[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec;
  return [...initContainers, ...containers, ...ephemeralContainers] as readonly CheckedContainer[];
}

export function plural(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}

export function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(", ");
}

/** `container "a"`, `containers "a", "b"`. */
export function named(containers: readonly CheckedContainer[]): string {
  const names = containers.map(({ name }) => name);
  return `${plural(names.length, "container", "containers")} ${quoted(names)}`;
}

/** Who sets something: the pod, its containers, or both, joined by "and". */
export function setters(pod: boolean, containers: readonly CheckedContainer[]): string {
  return [...(pod ? ["pod"] : []), ...(containers.length > 0 ? [named(containers)] : [])].join(
    " and ",
  );
}

export function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

export function isWindows({ spec }: PodView): boolean {
  return spec.os?.name === "windows";
}

/** Inside a user namespace of their own, containers may do more. */
export function hasUserNamespace({ spec }: PodView): boolean {
  return spec.hostUsers === false;
}

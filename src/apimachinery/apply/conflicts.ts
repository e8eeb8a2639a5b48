import { goQuote } from "../field-error.ts";
import { compareBytes } from "../maps.ts";
import type { StatusCause } from "../status.ts";
import {
  type FieldPath,
  fieldSetOf,
  type FieldSet,
  hasPath,
  pathsOf,
  printPath,
} from "./field-set.ts";
import type { Manager } from "./managers.ts";

/**
 * Fields that an apply would take from other managers.
 * Source: k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go.
 */
export interface Conflict {
  readonly manager: Manager;
  readonly path: FieldPath;
}

/** An apply without force met conflicts: 409 Conflict with this message and these causes. */
export class ApplyConflictError extends Error {
  override readonly name = "ApplyConflictError";
  readonly conflicts: readonly Conflict[];
  readonly causes: readonly StatusCause[];
  constructor(conflicts: readonly Conflict[]) {
    super(messageOf(conflicts));
    this.conflicts = conflicts;
    this.causes = conflicts.map(({ manager, path }) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${printManager(manager)}`,
      field: printPath(path),
    }));
  }
}

export function conflictsOf(sets: Iterable<readonly [Manager, FieldSet]>): Conflict[] {
  const conflicts: Conflict[] = [];
  for (const [manager, set] of sets) {
    for (const path of pathsOf(set)) conflicts.push({ manager, path });
  }
  return conflicts;
}

export function conflictSet(conflicts: readonly Conflict[]): FieldSet {
  return fieldSetOf(conflicts.map(({ path }) => path));
}

export function conflictsOutside(conflicts: readonly Conflict[], allowed: FieldSet): Conflict[] {
  return conflicts.filter(({ path }) => !hasPath(allowed, path));
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    const text = `conflict with ${printManager(first.manager)}: ${printPath(first.path)}`;
    return `Apply failed with 1 conflict: ${text}`;
  }
  const byManager = Map.groupBy(conflicts, ({ manager }) => manager);
  const blocks = [...byManager]
    .map(([manager, own]) => ({ order: orderOf(manager), own, text: printManager(manager) }))
    .sort((a, b) => compareBytes(a.order, b.order));
  const lines = blocks.flatMap(({ own, text }) => [
    `conflicts with ${text}:`,
    ...own.map(({ path }) => `- ${printPath(path)}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

/** Upstream sorts by the JSON that identifies the manager. */
function orderOf({ name, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify({
    manager: name,
    operation,
    ...(operation === "Update" && { apiVersion }),
    ...(subresource !== "" && { subresource }),
  });
}

function printManager({ name, operation, apiVersion, subresource }: Manager): string {
  const via = subresource === "" ? "" : ` with subresource ${goQuote(subresource)}`;
  const using = operation === "Update" ? ` using ${apiVersion}` : "";
  return `${goQuote(name)}${via}${using}`;
}

import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
} from "#api/apiextensions/v1/custom-resource-definition.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { findCondition } from "./conditions.ts";

/** A condition before its transition time is known. */
export type Finding = Omit<CustomResourceDefinitionCondition, "lastTransitionTime">;

export interface Naming {
  readonly accepted: CustomResourceDefinitionNames;
  readonly conditions: readonly Finding[];
}

/** Names that definitions of a group hold. */
export interface UsedNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

export function usedNamesOf(crds: Iterable<CustomResourceDefinition>, group: string): UsedNames {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { spec, status } of crds) {
    const names = status?.acceptedNames;
    if (spec.group !== group || names === undefined) continue;
    for (const name of [names.plural, names.singular ?? "", ...(names.shortNames ?? [])]) resources.add(name);
    for (const name of [names.kind, names.listKind ?? ""]) kinds.add(name);
  }
  return { resources, kinds };
}

/**
 * Which of the wanted names a definition gets, and what its conditions say of it; undefined when
 * it has them all. Source: apiextensions-apiserver pkg/controller/status/naming_controller.go.
 */
export function decideNames(crd: CustomResourceDefinition, used: UsedNames): Naming | undefined {
  const wanted = crd.spec.names;
  const held: CustomResourceDefinitionNames = crd.status?.acceptedNames ?? { plural: "", kind: "" };
  if (deepEqual(wanted, held)) return undefined;
  const accepted: CustomResourceDefinitionNames = { ...held };
  let conflict: Finding | undefined;
  const take = (field: NameField, names: ReadonlySet<string>, reason: string): void => {
    const name = wanted[field] ?? "";
    const why = conflictOf(name, held[field] ?? "", names);
    if (why === undefined) accepted[field] = name;
    else conflict = notAccepted(reason, why);
  };
  take("plural", used.resources, "PluralConflict");
  take("singular", used.resources, "SingularConflict");
  const shortConflict = shortNamesConflict(wanted, held, used);
  if (shortConflict === undefined) setOrDrop(accepted, "shortNames", wanted.shortNames);
  else conflict = shortConflict;
  take("kind", used.kinds, "KindConflict");
  take("listKind", used.kinds, "ListKindConflict");
  setOrDrop(accepted, "categories", wanted.categories);
  const naming: Finding = conflict ?? {
    type: "NamesAccepted",
    status: "True",
    reason: "NoConflicts",
    message: "no conflicts found",
  };
  return { accepted, conditions: [naming, establishedAfter(crd, naming)] };
}

type NameField = "plural" | "singular" | "kind" | "listKind";

function setOrDrop(
  names: CustomResourceDefinitionNames,
  field: "shortNames" | "categories",
  value: string[] | undefined,
): void {
  if (value === undefined) delete names[field];
  else names[field] = value;
}

function conflictOf(wanted: string, held: string, used: ReadonlySet<string>): string | undefined {
  return wanted === held || !used.has(wanted) ? undefined : `${JSON.stringify(wanted)} is already in use`;
}

function shortNamesConflict(
  wanted: CustomResourceDefinitionNames,
  held: CustomResourceDefinitionNames,
  used: UsedNames,
): Finding | undefined {
  const own = new Set(held.shortNames);
  const texts = (wanted.shortNames ?? [])
    .filter((name) => !own.has(name))
    .flatMap((name) => conflictOf(name, "", used.resources) ?? []);
  if (texts.length === 0) return undefined;
  return notAccepted("ShortNamesConflict", texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`);
}

function notAccepted(reason: string, message: string): Finding {
  return { type: "NamesAccepted", status: "False", reason, message };
}

/** Once established a definition stays so, whatever becomes of its names. */
function establishedAfter(crd: CustomResourceDefinition, naming: Finding): Finding {
  const before = findCondition(crd, "Established");
  if (before?.status === "True") return before;
  if (naming.status === "True") return established;
  return (
    before ?? {
      type: "Established",
      status: "False",
      reason: "NotAccepted",
      message: "not all names are accepted",
    }
  );
}

export const established: Finding = {
  type: "Established",
  status: "True",
  reason: "InitialNamesAccepted",
  message: "the initial names have been accepted",
};

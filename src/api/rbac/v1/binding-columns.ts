import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Column } from "#apimachinery/resource.ts";
import { rbacGroup, type RoleRef, type Subject } from "./role-ref.ts";

interface Binding extends KubeObject {
  roleRef: RoleRef;
  subjects?: Subject[] | undefined;
}

function namesOf({ subjects = [] }: Binding, kind: string): string {
  const named = subjects.filter((subject) => subject.kind === kind);
  const texts = named.map(({ name, namespace }) =>
    kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name,
  );
  return texts.join(", ");
}

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  column("Role", ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`, {
    description: "The role that is granted.",
  }),
  ageColumn,
  column("Users", (binding) => namesOf(binding, "User"), { description: "Users that get the role.", wide: true }),
  column("Groups", (binding) => namesOf(binding, "Group"), { description: "Groups that get the role.", wide: true }),
  column("ServiceAccounts", (binding) => namesOf(binding, "ServiceAccount"), {
    description: "ServiceAccounts that get the role.",
    wide: true,
  }),
];

/** Roles, users and groups are of this group unless said otherwise. */
export function defaultBinding({ roleRef, subjects }: Binding): void {
  roleRef.apiGroup ||= rbacGroup;
  for (const subject of subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= rbacGroup;
  }
}

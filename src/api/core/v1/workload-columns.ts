import { column, containersText, imagesText } from "#apimachinery/columns.ts";
import type { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import type { Column } from "#apimachinery/resource.ts";
import { describeLabelSelector } from "#apimachinery/selectors.ts";
import type { PodTemplateSpec } from "./pod-spec.ts";

/** Columns that kinds with a Pod template share. */
interface Templated {
  readonly spec: { readonly template: PodTemplateSpec };
}

export const templateColumns: readonly Column<Templated>[] = [
  column("Containers", ({ spec }) => containersText(spec.template.spec.containers), {
    description: "Names of the containers in the template.",
    wide: true,
  }),
  column("Images", ({ spec }) => imagesText(spec.template.spec.containers), {
    description: "Images of the containers in the template.",
    wide: true,
  }),
];

export const selectorColumn: Column<{ spec: { selector?: LabelSelector | undefined } }> = column(
  "Selector",
  ({ spec }) => describeLabelSelector(spec.selector),
  { description: "The Pods that belong to the object.", wide: true },
);

/** A count, 0 when unknown. */
export function countColumn<T>(
  name: string,
  read: (object: T) => number | undefined,
  description: string,
): Column<T> {
  return column(name, (object) => read(object) ?? 0, { type: "integer", description });
}

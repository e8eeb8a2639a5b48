import { type Fields, type InferValue, kind, listOf, req, type StructSchema } from "../schema.ts";
import { ListMeta } from "./list-meta.ts";

/** A page of objects, as a list answers it. Items carry no `kind` and `apiVersion`. */
export interface KubeList<T> {
  kind?: string | undefined;
  apiVersion?: string | undefined;
  metadata: InferValue<typeof ListMeta>;
  items: T[];
}

/** The schema of a kind's list: the same shape for every kind. Made once for each. */
export function listSchemaOf(item: StructSchema<Fields>): StructSchema<Fields> {
  let schema = listSchemas.get(item);
  if (schema === undefined) {
    schema = kind(`${item.name}List`, {
      metadata: req(1, ListMeta, { required: false }),
      items: req(2, listOf(item)),
    });
    listSchemas.set(item, schema);
  }
  return schema;
}

const listSchemas = new WeakMap<StructSchema<Fields>, StructSchema<Fields>>();

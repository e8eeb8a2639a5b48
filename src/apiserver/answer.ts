import type { KubeObject } from "#apimachinery/object.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import type { Status } from "#apimachinery/status.ts";
import type { Endpoint } from "./call.ts";
import type { ListPage } from "./rest/list.ts";
import type { Entry } from "./storage/entry.ts";

/** What a call answers, before anyone asks for an encoding. */
export type Answer =
  | { readonly kind: "entry"; readonly endpoint: Endpoint; readonly entry: Entry; readonly code: number }
  /** An object that is not stored as such: a review, a Scale, a token. */
  | {
      readonly kind: "object";
      readonly object: KubeObject;
      readonly schema: StructSchema<Fields>;
      readonly code: number;
      /** The same for who wants a Table; absent for kinds without columns. */
      readonly table?: { readonly endpoint: Endpoint; readonly objects: readonly KubeObject[] };
    }
  | { readonly kind: "status"; readonly status: Status; readonly code: number }
  | { readonly kind: "list"; readonly endpoint: Endpoint; readonly page: ListPage };

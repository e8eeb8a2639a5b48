import { type Infer, kind, opt } from "#apimachinery/schema.ts";
import { ObjectReference } from "./object-reference.ts";

export const SerializedReference = kind("io.k8s.api.core.v1.SerializedReference", {
  reference: opt(1, ObjectReference),
});
export interface SerializedReference extends Infer<typeof SerializedReference> {}

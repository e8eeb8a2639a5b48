import { Status } from "#apimachinery/meta/status.ts";
import { type Infer, kind, listOf, named, ptr, rawObject, req, string, struct } from "#apimachinery/schema.ts";

export const ConversionRequest = struct("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ConversionRequest", {
  uid: req(1, named("types.UID", string)),
  desiredAPIVersion: req(2, string),
  objects: req(3, listOf(rawObject), { listType: "atomic" }),
});
export interface ConversionRequest extends Infer<typeof ConversionRequest> {}

export const ConversionResponse = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ConversionResponse",
  {
    uid: req(1, named("types.UID", string)),
    convertedObjects: req(2, listOf(rawObject), { listType: "atomic" }),
    result: req(3, Status),
  },
);
export interface ConversionResponse extends Infer<typeof ConversionResponse> {}

export const ConversionReview = kind("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ConversionReview", {
  request: ptr(1, ConversionRequest),
  response: ptr(2, ConversionResponse),
});
export interface ConversionReview extends Infer<typeof ConversionReview> {}

import { UserInfo } from "#api/authentication/v1/user-info.ts";
import { Status } from "#apimachinery/meta/status.ts";
import {
  type Infer,
  kind,
  listOf,
  mapOf,
  microTime,
  opt,
  ptr,
  rawObject,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const AuthenticationMetadata = struct(
  "io.k8s.apiserver.pkg.apis.audit.v1.AuthenticationMetadata",
  {
    impersonationConstraint: opt(1, string),
  },
);
export interface AuthenticationMetadata extends Infer<typeof AuthenticationMetadata> {}

export const ObjectReference = struct("io.k8s.apiserver.pkg.apis.audit.v1.ObjectReference", {
  resource: opt(1, string),
  namespace: opt(2, string),
  name: opt(3, string),
  uid: opt(4, string),
  apiGroup: opt(5, string),
  apiVersion: opt(6, string),
  resourceVersion: opt(7, string),
  subresource: opt(8, string),
});
export interface ObjectReference extends Infer<typeof ObjectReference> {}

export const Event = kind("io.k8s.apiserver.pkg.apis.audit.v1.Event", {
  level: req(1, string),
  auditID: req(2, string),
  stage: req(3, string),
  requestURI: req(4, string),
  verb: req(5, string),
  user: req(6, UserInfo),
  impersonatedUser: ptr(7, UserInfo),
  authenticationMetadata: ptr(17, AuthenticationMetadata),
  sourceIPs: opt(8, listOf(string), { listType: "atomic" }),
  userAgent: opt(16, string),
  objectRef: ptr(9, ObjectReference),
  responseStatus: ptr(10, Status),
  requestObject: ptr(11, rawObject),
  responseObject: ptr(12, rawObject),
  requestReceivedTimestamp: req(13, microTime, { required: false }),
  stageTimestamp: req(14, microTime, { required: false }),
  annotations: opt(15, mapOf(string)),
});
export interface Event extends Infer<typeof Event> {}

export const GroupResources = struct("io.k8s.apiserver.pkg.apis.audit.v1.GroupResources", {
  group: opt(1, string),
  resources: opt(2, listOf(string), { listType: "atomic" }),
  resourceNames: opt(3, listOf(string), { listType: "atomic" }),
});
export interface GroupResources extends Infer<typeof GroupResources> {}

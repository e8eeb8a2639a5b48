import {
  type Infer,
  int32,
  int64,
  intOrString,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const HTTPHeader = struct("io.k8s.api.core.v1.HTTPHeader", {
  name: req(1, string),
  value: req(2, string),
});
export interface HTTPHeader extends Infer<typeof HTTPHeader> {}

export const HTTPGetAction = struct("io.k8s.api.core.v1.HTTPGetAction", {
  path: opt(1, string),
  port: req(2, intOrString),
  host: opt(3, string),
  scheme: opt(4, named("v1.URIScheme", string)),
  httpHeaders: opt(5, listOf(HTTPHeader), { listType: "atomic" }),
});
export interface HTTPGetAction extends Infer<typeof HTTPGetAction> {}

export const TCPSocketAction = struct("io.k8s.api.core.v1.TCPSocketAction", {
  port: req(1, intOrString),
  host: opt(2, string),
});
export interface TCPSocketAction extends Infer<typeof TCPSocketAction> {}

export const GRPCAction = struct("io.k8s.api.core.v1.GRPCAction", {
  port: req(1, int32),
  service: ptr(2, string, { nullable: true, default: "" }),
});
export interface GRPCAction extends Infer<typeof GRPCAction> {}

export const ExecAction = struct("io.k8s.api.core.v1.ExecAction", {
  command: opt(1, listOf(string), { listType: "atomic" }),
});
export interface ExecAction extends Infer<typeof ExecAction> {}

export const SleepAction = struct("io.k8s.api.core.v1.SleepAction", {
  seconds: req(1, int64),
});
export interface SleepAction extends Infer<typeof SleepAction> {}

export const ProbeHandler = struct("io.k8s.api.core.v1.ProbeHandler", {
  exec: ptr(1, ExecAction),
  httpGet: ptr(2, HTTPGetAction),
  tcpSocket: ptr(3, TCPSocketAction),
  grpc: ptr(4, GRPCAction),
});
export interface ProbeHandler extends Infer<typeof ProbeHandler> {}

export const Probe = struct("io.k8s.api.core.v1.Probe", {
  handler: req(1, ProbeHandler, { inline: true }),
  initialDelaySeconds: opt(2, int32),
  timeoutSeconds: opt(3, int32),
  periodSeconds: opt(4, int32),
  successThreshold: opt(5, int32),
  failureThreshold: opt(6, int32),
  terminationGracePeriodSeconds: ptr(7, int64),
});
export interface Probe extends Infer<typeof Probe> {}

export const LifecycleHandler = struct("io.k8s.api.core.v1.LifecycleHandler", {
  exec: ptr(1, ExecAction),
  httpGet: ptr(2, HTTPGetAction),
  tcpSocket: ptr(3, TCPSocketAction),
  sleep: ptr(4, SleepAction),
});
export interface LifecycleHandler extends Infer<typeof LifecycleHandler> {}

export const Lifecycle = struct("io.k8s.api.core.v1.Lifecycle", {
  postStart: ptr(1, LifecycleHandler),
  preStop: ptr(2, LifecycleHandler),
  stopSignal: ptr(3, named("v1.Signal", string)),
});
export interface Lifecycle extends Infer<typeof Lifecycle> {}

import {
  bool,
  type Infer,
  int32,
  int64,
  kind,
  listOf,
  opt,
  ptr,
  req,
  string,
  time,
} from "#apimachinery/schema.ts";

export const PodLogOptions = kind("io.k8s.api.core.v1.PodLogOptions", {
  container: opt(1, string),
  follow: opt(2, bool),
  previous: opt(3, bool),
  sinceSeconds: ptr(4, int64),
  sinceTime: ptr(5, time),
  timestamps: opt(6, bool),
  tailLines: ptr(7, int64),
  limitBytes: ptr(8, int64),
  insecureSkipTLSVerifyBackend: opt(9, bool),
  stream: ptr(10, string),
});
export interface PodLogOptions extends Infer<typeof PodLogOptions> {}

export const PodAttachOptions = kind("io.k8s.api.core.v1.PodAttachOptions", {
  stdin: opt(1, bool),
  stdout: opt(2, bool),
  stderr: opt(3, bool),
  tty: opt(4, bool),
  container: opt(5, string),
});
export interface PodAttachOptions extends Infer<typeof PodAttachOptions> {}

export const PodExecOptions = kind("io.k8s.api.core.v1.PodExecOptions", {
  stdin: opt(1, bool),
  stdout: opt(2, bool),
  stderr: opt(3, bool),
  tty: opt(4, bool),
  container: opt(5, string),
  command: req(6, listOf(string), { listType: "atomic" }),
});
export interface PodExecOptions extends Infer<typeof PodExecOptions> {}

export const PodPortForwardOptions = kind("io.k8s.api.core.v1.PodPortForwardOptions", {
  ports: opt(1, listOf(int32), { listType: "atomic" }),
});
export interface PodPortForwardOptions extends Infer<typeof PodPortForwardOptions> {}

export const PodProxyOptions = kind("io.k8s.api.core.v1.PodProxyOptions", {
  path: opt(1, string),
});
export interface PodProxyOptions extends Infer<typeof PodProxyOptions> {}

export const NodeProxyOptions = kind("io.k8s.api.core.v1.NodeProxyOptions", {
  path: opt(1, string),
});
export interface NodeProxyOptions extends Infer<typeof NodeProxyOptions> {}

export const ServiceProxyOptions = kind("io.k8s.api.core.v1.ServiceProxyOptions", {
  path: opt(1, string),
});
export interface ServiceProxyOptions extends Infer<typeof ServiceProxyOptions> {}

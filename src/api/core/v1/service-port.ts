import {
  type Infer,
  int32,
  intOrString,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const ServicePort = struct("io.k8s.api.core.v1.ServicePort", {
  name: opt(1, string),
  protocol: opt(2, named("v1.Protocol", string), { default: "TCP" }),
  appProtocol: ptr(6, string),
  port: req(3, int32),
  targetPort: opt(4, intOrString),
  nodePort: opt(5, int32),
});
export interface ServicePort extends Infer<typeof ServicePort> {}

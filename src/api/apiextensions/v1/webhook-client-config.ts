import { bytes, type Infer, int32, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const ServiceReference = struct("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference", {
  namespace: req(1, string),
  name: req(2, string),
  path: ptr(3, string),
  port: ptr(4, int32),
});
export interface ServiceReference extends Infer<typeof ServiceReference> {}

export const WebhookClientConfig = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig",
  {
    url: ptr(3, string),
    service: ptr(1, ServiceReference),
    caBundle: opt(2, bytes),
  },
);
export interface WebhookClientConfig extends Infer<typeof WebhookClientConfig> {}

import { type Infer, opt, req, string, struct } from "#apimachinery/schema.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

export const Subject = struct(
  "io.k8s.api.rbac.v1.Subject",
  {
    kind: req(1, string),
    apiGroup: opt(2, string),
    name: req(3, string),
    namespace: opt(4, string),
  },
  { atomic: true },
);
export interface Subject extends Infer<typeof Subject> {}

export const RoleRef = struct(
  "io.k8s.api.rbac.v1.RoleRef",
  {
    apiGroup: req(1, string, { required: false }),
    kind: req(2, string),
    name: req(3, string),
  },
  { atomic: true },
);
export interface RoleRef extends Infer<typeof RoleRef> {}

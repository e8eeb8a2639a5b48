import {
  bool,
  type Infer,
  int64,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const Capabilities = struct("io.k8s.api.core.v1.Capabilities", {
  add: opt(1, listOf(named("v1.Capability", string)), { listType: "atomic" }),
  drop: opt(2, listOf(named("v1.Capability", string)), { listType: "atomic" }),
});
export interface Capabilities extends Infer<typeof Capabilities> {}

export const SELinuxOptions = struct("io.k8s.api.core.v1.SELinuxOptions", {
  user: opt(1, string),
  role: opt(2, string),
  type: opt(3, string),
  level: opt(4, string),
});
export interface SELinuxOptions extends Infer<typeof SELinuxOptions> {}

export const WindowsSecurityContextOptions = struct(
  "io.k8s.api.core.v1.WindowsSecurityContextOptions",
  {
    gmsaCredentialSpecName: ptr(1, string),
    gmsaCredentialSpec: ptr(2, string),
    runAsUserName: ptr(3, string),
    hostProcess: ptr(4, bool),
  },
);
export interface WindowsSecurityContextOptions extends Infer<
  typeof WindowsSecurityContextOptions
> {}

export const Sysctl = struct("io.k8s.api.core.v1.Sysctl", {
  name: req(1, string),
  value: req(2, string),
});
export interface Sysctl extends Infer<typeof Sysctl> {}

export const SeccompProfile = struct(
  "io.k8s.api.core.v1.SeccompProfile",
  {
    type: req(1, named("v1.SeccompProfileType", string)),
    localhostProfile: ptr(2, string),
  },
  { unions: [{ discriminator: "type", fields: { localhostProfile: "LocalhostProfile" } }] },
);
export interface SeccompProfile extends Infer<typeof SeccompProfile> {}

export const AppArmorProfile = struct(
  "io.k8s.api.core.v1.AppArmorProfile",
  {
    type: req(1, named("v1.AppArmorProfileType", string)),
    localhostProfile: ptr(2, string),
  },
  { unions: [{ discriminator: "type", fields: { localhostProfile: "LocalhostProfile" } }] },
);
export interface AppArmorProfile extends Infer<typeof AppArmorProfile> {}

export const PodSecurityContext = struct("io.k8s.api.core.v1.PodSecurityContext", {
  seLinuxOptions: ptr(1, SELinuxOptions),
  windowsOptions: ptr(8, WindowsSecurityContextOptions),
  runAsUser: ptr(2, int64),
  runAsGroup: ptr(6, int64),
  runAsNonRoot: ptr(3, bool),
  supplementalGroups: opt(4, listOf(int64), { listType: "atomic" }),
  supplementalGroupsPolicy: ptr(12, named("v1.SupplementalGroupsPolicy", string)),
  fsGroup: ptr(5, int64),
  sysctls: opt(7, listOf(Sysctl), { listType: "atomic" }),
  fsGroupChangePolicy: ptr(9, named("v1.PodFSGroupChangePolicy", string)),
  seccompProfile: ptr(10, SeccompProfile),
  appArmorProfile: ptr(11, AppArmorProfile),
  seLinuxChangePolicy: ptr(13, named("v1.PodSELinuxChangePolicy", string)),
});
export interface PodSecurityContext extends Infer<typeof PodSecurityContext> {}

export const SecurityContext = struct("io.k8s.api.core.v1.SecurityContext", {
  capabilities: ptr(1, Capabilities),
  privileged: ptr(2, bool),
  seLinuxOptions: ptr(3, SELinuxOptions),
  windowsOptions: ptr(10, WindowsSecurityContextOptions),
  runAsUser: ptr(4, int64),
  runAsGroup: ptr(8, int64),
  runAsNonRoot: ptr(5, bool),
  readOnlyRootFilesystem: ptr(6, bool),
  allowPrivilegeEscalation: ptr(7, bool),
  procMount: ptr(9, named("v1.ProcMountType", string)),
  seccompProfile: ptr(11, SeccompProfile),
  appArmorProfile: ptr(12, AppArmorProfile),
});
export interface SecurityContext extends Infer<typeof SecurityContext> {}

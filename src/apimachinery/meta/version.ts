import { type Infer, opt, req, string, struct } from "../schema.ts";

/** The answer of `/version`; never protobuf. */
export const VersionInfo = struct("io.k8s.apimachinery.pkg.version.Info", {
  major: req(0, string),
  minor: req(0, string),
  emulationMajor: opt(0, string),
  emulationMinor: opt(0, string),
  minCompatibilityMajor: opt(0, string),
  minCompatibilityMinor: opt(0, string),
  gitVersion: req(0, string),
  gitCommit: req(0, string),
  gitTreeState: req(0, string),
  buildDate: req(0, string),
  goVersion: req(0, string),
  compiler: req(0, string),
  platform: req(0, string),
});
export interface VersionInfo extends Infer<typeof VersionInfo> {}

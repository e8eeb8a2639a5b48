import { kubetsVersion } from "#apimachinery/release.ts";

/** The Kubernetes version that is served. */
export const kubernetesVersion = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: kubetsVersion,
  gitCommit: "0000000000000000000000000000000000000000",
  gitTreeState: "clean",
  buildDate: "2026-11-25T00:00:00Z",
  goVersion: "none",
  compiler: "typescript",
  platform: "linux/amd64",
} as const;

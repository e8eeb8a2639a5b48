import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import { baselineChecks, replacedByRestricted } from "./baseline.ts";
import { restrictedChecks } from "./restricted.ts";
import type { Check, PodView, Violation } from "./pod-view.ts";

export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

export interface LevelVersion {
  readonly level: Level;
  /** `latest` or `v1.30`. */
  readonly version: string;
}

export interface NamespacePolicy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
  /** Labels that are no policy. */
  readonly errors: readonly FieldError[];
}

/** What counts where a namespace says nothing. */
export type PolicyDefaults = Pick<NamespacePolicy, "enforce" | "audit" | "warn">;

export function isVersionText(version: string): boolean {
  return version === "latest" || /^v1\.([0-9]|[1-9][0-9]*)$/.test(version);
}

const prefix = "pod-security.kubernetes.io/";

/** Reads the labels of a namespace. What is no level counts as the strictest. */
export function policyOf(labels: Readonly<Record<string, string>> | undefined, defaults: PolicyDefaults): NamespacePolicy {
  const errors: FieldError[] = [];
  const read = (mode: keyof PolicyDefaults): { policy: LevelVersion; declared: boolean } => {
    const level = labels?.[`${prefix}${mode}`];
    const version = labels?.[`${prefix}${mode}-version`];
    const known = levels.find((one) => one === level);
    if (level !== undefined && known === undefined) {
      errors.push(invalid(fieldOf(mode), level, `must be one of ${levels.join(", ")}`));
    }
    const isVersion = version === undefined || isVersionText(version);
    if (!isVersion)
      errors.push(invalid(fieldOf(`${mode}-version`), version, 'must be "latest" or "v1.x"'));
    const fallback = level === undefined ? defaults[mode].level : "restricted";
    const policy = {
      level: known ?? fallback,
      version: isVersion ? (version ?? defaults[mode].version) : "latest",
    };
    return { policy, declared: level !== undefined };
  };
  const enforce = read("enforce");
  const audit = read("audit");
  const warn = read("warn");
  const stricter = compareLevels(enforce.policy.level, warn.policy.level) > 0;
  return {
    enforce: enforce.policy,
    audit: audit.policy,
    // Controllers make pods later; their authors should hear of it now.
    warn: !warn.declared && stricter ? enforce.policy : warn.policy,
    errors,
  };
}

function fieldOf(label: string): string {
  return `metadata.labels[${prefix}${label}]`;
}

export function compareLevels(a: Level, b: Level): number {
  return levels.indexOf(a) - levels.indexOf(b);
}

export function sameLevel(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.version === b.version;
}

/** `baseline:latest`. */
export function levelText({ level, version }: LevelVersion): string {
  return `${level}:${version}`;
}

/** What a pod violates of a level, in upstream's order. */
export function violationsOf({ level, version }: LevelVersion, pod: PodView): Violation[] {
  if (level === "privileged") return [];
  const minor = version === "latest" ? Infinity : Number(version.slice("v1.".length));
  const isIn = ({ since = 0 }: Check): boolean => since <= minor;
  const isKept = (check: Check): boolean => {
    const replacedSince = replacedByRestricted.get(check);
    return level === "baseline" || replacedSince === undefined || replacedSince > minor;
  };
  const checks = [
    ...baselineChecks.filter((check) => isIn(check) && isKept(check)),
    ...(level === "restricted" ? restrictedChecks.filter(isIn) : []),
  ];
  return checks.flatMap((check) => check.run(pod, minor) ?? []);
}

export function detailText(violations: readonly Violation[]): string {
  return violations
    .map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`))
    .join(", ");
}

export function reasonText(violations: readonly Violation[]): string {
  return violations.map(({ reason }) => reason).join(", ");
}

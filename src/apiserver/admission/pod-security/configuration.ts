/** What PodSecurity is told beside labels. Source: k8s.io/pod-security-admission/admission/api. */
import { duplicate, type FieldError, fieldErrorsText, invalid } from "#apimachinery/field-error.ts";
import { type Infer, kind, listOf, opt, string, struct } from "#apimachinery/schema.ts";
import { decodeConfiguration, type PluginConfiguration } from "../configuration.ts";
import { isVersionText, type LevelVersion, levels, type PolicyDefaults } from "./policy.ts";

const name = (type: string): string => `io.k8s.pod-security-admission.admission.api.v1.${type}`;

const ConfigurationSchema = kind(name("PodSecurityConfiguration"), {
  defaults: opt(
    1,
    struct(name("PodSecurityDefaults"), {
      enforce: opt(1, string),
      "enforce-version": opt(2, string),
      audit: opt(3, string),
      "audit-version": opt(4, string),
      warn: opt(5, string),
      "warn-version": opt(6, string),
    }),
  ),
  exemptions: opt(
    2,
    struct(name("PodSecurityExemptions"), {
      usernames: opt(1, listOf(string)),
      namespaces: opt(2, listOf(string)),
      runtimeClasses: opt(3, listOf(string)),
    }),
  ),
});

const accepted = {
  apiVersions: ["v1", "v1beta1", "v1alpha1"].map((version) => `pod-security.admission.config.k8s.io/${version}`),
  kind: "PodSecurityConfiguration",
};

export interface PodSecurityConfiguration {
  readonly defaults: PolicyDefaults;
  readonly usernames: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
  readonly runtimeClasses: ReadonlySet<string>;
}

const openly: LevelVersion = { level: "privileged", version: "latest" };

export const podSecurityDefaults: PodSecurityConfiguration = {
  defaults: { enforce: openly, audit: openly, warn: openly },
  usernames: new Set(),
  namespaces: new Set(),
  runtimeClasses: new Set(),
};

/** Errors: upstream's texts. */
export function podSecurityConfiguration(configuration: PluginConfiguration | undefined): PodSecurityConfiguration {
  if (configuration === undefined) return podSecurityDefaults;
  const { defaults, exemptions } = decodeConfiguration<Infer<typeof ConfigurationSchema>>(configuration, ConfigurationSchema, accepted);
  const errors: FieldError[] = [];
  const levelOf = (mode: "enforce" | "audit" | "warn"): LevelVersion => {
    const level = defaults?.[mode] || openly.level;
    const version = defaults?.[`${mode}-version`] || openly.version;
    const known = levels.find((one) => one === level);
    if (known === undefined) errors.push(invalid(`defaults.${mode}`, level, `must be one of ${levels.join(", ")}`));
    if (!isVersionText(version)) errors.push(invalid(`defaults.${mode}-version`, version, 'must be "latest" or "v1.x"'));
    return { level: known ?? "restricted", version };
  };
  const setOf = (field: "usernames" | "namespaces" | "runtimeClasses"): ReadonlySet<string> => {
    const values = exemptions?.[field] ?? [];
    values.forEach((value, index) => {
      const path = `exemptions.${field}[${index}]`;
      if (value === "") errors.push(invalid(path, value, "must not be empty"));
      else if (values.indexOf(value) < index) errors.push(duplicate(path, value));
    });
    return new Set(values);
  };
  const result = {
    defaults: { enforce: levelOf("enforce"), audit: levelOf("audit"), warn: levelOf("warn") },
    usernames: setOf("usernames"),
    namespaces: setOf("namespaces"),
    runtimeClasses: setOf("runtimeClasses"),
  };
  if (errors.length > 0) throw new Error(fieldErrorsText(errors));
  return result;
}
